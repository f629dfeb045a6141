"""What the app says beside the header, which changes as releases roll out: the payload drifts.

    5.0   {"device":"ios","app_version":"5.0.2","watch_ms":4200}
    5.1   a field more: "network"
    5.2   "watch_ms" is text
    6.0   "device" is an object, "playback" and "experiments" are new, "network" is gone

`watch_ms` is missing where nothing was watched yet. Old releases linger while a new one rolls out.
"""

from __future__ import annotations

from random import Random

RELEASES = ("5.0", "5.1", "5.2", "6.0")
_LINGERS = 0.3
"""How long a client keeps its release after the next is out, in times between two releases, on average."""
_MODELS = {"ios": ("iPhone 15", "iPhone SE"), "android": ("Pixel 8", "Galaxy A54"), "web": ("Firefox", "Chrome")}
_NETWORKS = ("wifi", "wifi", "5g", "4g")
_QUALITIES = ("1080p", "720p", "480p")


class Client:
    """One app on one device, of the release it had `progress` (0 to 1) of the way through the stream's span."""

    __slots__ = ("_after", "_before", "_quote")

    def __init__(self, progress: float, rng: Random) -> None:
        release = max(0, int(min(progress, 0.999) * len(RELEASES) - rng.expovariate(1 / _LINGERS)))
        system = rng.choices(("ios", "android", "web"), cum_weights=(45, 85, 100))[0]
        device, network, model = f'"{system}"', rng.choice(_NETWORKS), rng.choice(_MODELS[system])
        after = f',"network":"{network}"' if release in (1, 2) else ""
        if release == 3:
            device = f'{{"os":"{system}","model":"{model}"}}'
            after = (
                f',"playback":{{"quality":"{rng.choice(_QUALITIES)}","network":{{"type":"{network}"}}}},'
                f'"experiments":["feed-{rng.choice("ab")}"]'
            )
        self._before = f'{{"device":{device},"app_version":"{RELEASES[release]}.{rng.randrange(5)}"'
        self._after = after + "}"
        self._quote = '"' if release >= 2 else ""

    def payload(self, watch_ms: int | None) -> str:
        """The payload as JSON, of an event after so many milliseconds of the video; None where nothing was played."""
        if watch_ms is None:
            return self._before + self._after
        return f'{self._before},"watch_ms":{self._quote}{watch_ms}{self._quote}{self._after}'
