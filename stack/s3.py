"""An S3 server of the stack's own, for an s3:// warehouse on one machine: S3Proxy over a folder of the home.

Whatever S3 the settings name, the bucket of the warehouse is made here, in containers too.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from stack.engine import Engine
from stack.java import java_17_home
from stack.settings import Settings

if TYPE_CHECKING:
    from pyarrow.fs import S3FileSystem

PROPERTIES = """\
s3proxy.endpoint=http://{s.host}:{s.s3_port}
s3proxy.authorization=aws-v2-or-v4
s3proxy.ignore-unknown-headers=true
s3proxy.identity={s.s3_access_key}
s3proxy.credential={s.s3_secret_key}
jclouds.provider=filesystem-nio2
jclouds.filesystem.basedir={s.data}/s3
"""


def bucket(settings: Settings) -> str | None:
    """The bucket of an s3:// warehouse, None for any other."""
    if not settings.warehouse.startswith("s3://"):
        return None
    return settings.warehouse.removeprefix("s3://").split("/")[0]


def client(settings: Settings) -> S3FileSystem:
    from pyarrow.fs import S3FileSystem

    return S3FileSystem(
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
        region=settings.s3_region,
        endpoint_override=settings.s3_endpoint,
        allow_bucket_creation=True,
        connect_timeout=5,
        request_timeout=10,
    )


def mark(settings: Settings) -> str:
    return f"-Dlake.s3={settings.home}"


def command(settings: Settings) -> list[str]:
    java = str(java_17_home(settings) / "bin" / "java")
    options = ["-Xmx256m", "-XX:+UseSerialGC", "-DLOG_LEVEL=warn", mark(settings)]
    main = ["-cp", f"{settings.downloads}/s3/*", "org.gaul.s3proxy.Main"]
    return [java, *options, *main, "--properties", f"{settings.run}/s3proxy.properties"]


def prepare(settings: Settings) -> None:
    (settings.data / "s3").mkdir(parents=True, exist_ok=True)
    properties = settings.run / "s3proxy.properties"
    properties.touch(mode=0o600)  # it holds the secret key
    properties.write_text(PROPERTIES.format(s=settings))


def ready(settings: Settings) -> None:
    from pyarrow.fs import FileSelector

    client(settings).get_file_info(FileSelector(""))


def settle(settings: Settings) -> None:
    """Make the warehouse's bucket; says nothing where it is there."""
    client(settings).create_dir(bucket(settings))


ENGINE = Engine(
    name="s3",
    ports=("s3_port",),
    prepare=prepare,
    command=command,
    ready=ready,
    settle=settle,
    mark=mark,
    endpoint=lambda s: (s.s3_endpoint, f"{s.s3_access_key} / {s.s3_secret_key}"),
)
