"""A topic as a stranger made it: names, nesting and times of its own; no two streams of this project look like it."""

from __future__ import annotations

import json
import random
import uuid
from datetime import UTC, datetime, timedelta

from onboarding.sample import Record

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
START = MIDNIGHT - timedelta(hours=1)


def payments(count: int, seed: int = 1) -> list[Record]:
    """`count` payments, ten seconds apart; each tenth is sent a second time."""
    chance = random.Random(seed)
    sent = []
    for number in range(count):
        iban = f"NL{chance.randrange(40):02}BANK"
        body = {
            "uuid": str(uuid.UUID(int=chance.getrandbits(128))),
            "kind": chance.choice(["charged", "refunded"]),
            "occurredAt": f"{START + timedelta(seconds=10 * number):%Y-%m-%dT%H:%M:%SZ}",
            "iban": iban,
            "payer": {"name": "it's me", "visits": number},
            "amount": chance.randrange(10_000) / 100,
            "isTest": chance.random() < 0.1,
            "tags": ["a"],
            "order": "x",
            "ref-no": "q",
        }
        if number % 3:
            body["note"] = 'a "note"'
        record = Record(iban.encode(), json.dumps(body).encode())
        sent += [record, record] if number % 10 == 0 else [record]
    return sent
