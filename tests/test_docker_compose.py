"""If these fail, the containers are another system than the one tested here: other files, versions, ports, settings.

There need be no Docker here: the file is held to the Compose specification's schema and to what it refers to.
"""
from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack import kafka, postgres, s3, trino
from stack.settings import PROJECT, Settings

FILE = PROJECT / "docker-compose.yml"
DOCKERFILE = PROJECT / "Dockerfile"
PROFILES = ("demo", "full")
PORTS = {
    "kafka": "kafka_port", "postgres": "postgres_port", "trino": "trino_port", "ingest": "spark_ui_port",
    "airflow": "airflow_port", "registry": "registry_port",
}  # fmt: skip
PUBLISHED = {name: Settings.model_fields[field].default for name, field in PORTS.items()}


def as_compose_reads(text: str) -> dict[str, Any]:
    """The document with no variable of ours in the environment: each stands for its default."""
    return yaml.safe_load(re.sub(r"(?<!\$)\$\{\w+:-([^}]*)}", r"\1", text))


COMPOSE = as_compose_reads(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
ENGINES = {name: service for name, service in SERVICES.items() if "build" not in service}


def of_pom(path: str) -> str:
    found = ET.parse(PROJECT / "stack" / "pom.xml").find(path, {"m": "http://maven.apache.org/POM/4.0.0"})
    assert found is not None and found.text, path
    return found.text


def conditions(service: dict[str, Any]) -> dict[str, str]:
    return {name: wait["condition"] for name, wait in service.get("depends_on", {}).items()}


def test_it_is_valid_by_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_check_sees_a_mistake(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(FILE.read_text().replace("healthcheck:", "healthchekc:", 1))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(broken)]
    assert subprocess.run(command, capture_output=True).returncode == 1


def test_every_variable_has_a_default() -> None:
    said = re.findall(r"(?<!\$)\$(\{[^}]*}|\w+)", re.sub(r"#.*", "", FILE.read_text()))
    assert said
    assert [one for one in said if not re.fullmatch(r"\{LAKE_\w+:-[^}]+}", one)] == []


def test_what_is_mounted_is_there_and_every_volume_is_declared() -> None:
    named = set()
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source, target = volume.split(":")[:2]
            assert target.startswith("/"), volume
            if source.startswith("."):
                assert (PROJECT / source).exists(), volume
            else:
                named.add(source)
    assert named == set(COMPOSE["volumes"])


def test_images_are_pinned_and_none_is_minio() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    for image in [service["image"] for service in SERVICES.values()] + bases:
        assert re.fullmatch(r"[a-z0-9./-]+:v?\d[\w.-]*", image), image
        assert "minio" not in image


def test_versions_are_those_of_the_engines_here() -> None:
    assert ENGINES["kafka"]["image"] == f"apache/kafka:{of_pom('m:properties/m:kafka.version')}"
    assert ENGINES["trino"]["image"] == f"trinodb/trino:{of_pom('m:properties/m:trino.version')}"
    assert ENGINES["postgres"]["image"] == "postgres:" + of_pom("m:properties/m:postgres.version").removesuffix(".0")
    executions = set(re.findall(r"<id>(\w+)</id>", (PROJECT / "stack" / "pom.xml").read_text()))
    copied = set(re.findall(r"dependency:copy@(\w+)", DOCKERFILE.read_text()))
    assert copied == {"spark", "aws"} <= executions


def test_ports_are_on_loopback_and_those_people_expect(tmp_path: Path) -> None:
    s3_port = Settings.model_fields["s3_port"].default  # another test's stack may have said one
    settings = Settings(home=tmp_path, _env_file=None, s3_port=s3_port)
    found = {}
    for name, service in SERVICES.items():
        for published in service.get("ports", []):
            address, outside, inside = published.split(":")
            assert address == "127.0.0.1", published
            assert outside == inside, published
            found[name] = int(inside)
    assert found == {**PUBLISHED, "s3": 9000}
    assert settings.s3_endpoint.endswith(":9000")
    variables = re.findall(r"127\.0\.0\.1:\$\{LAKE_(\w+)_PORT:-(\d+)}:\2\b", FILE.read_text())
    assert {int(port) for _name, port in variables} == set(found.values())


def test_trino_has_every_variable_its_files_read_and_no_other(tmp_path: Path) -> None:
    asked = {
        name
        for path in trino.ETC.rglob("*")
        if path.suffix in (".properties", ".config")
        for name in re.findall(r"\$\{ENV:(\w+)}", path.read_text())
    }
    given = ENGINES["trino"]["environment"]
    assert set(given) == asked == set(trino.environment(Settings(home=tmp_path)))
    assert ENGINES["trino"]["volumes"] == ["./trino:/etc/trino:ro"]


def settings_in(service: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that code in this container reads."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LAKE_{name.upper()}", raising=False)
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, str(value))
    return Settings()


@pytest.mark.parametrize("name", OURS)
def test_settings_given_to_our_code_are_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = OURS[name]
    known = {f"LAKE_{field.upper()}" for field in Settings.model_fields}
    assert {variable for variable in service["environment"] if variable.startswith("LAKE_")} <= known
    settings = settings_in(service, monkeypatch)
    hosts = {
        settings.kafka_bootstrap_servers.split(":")[0], settings.postgres_host, settings.trino_host,
        settings.s3_endpoint.removeprefix("http://").split(":")[0],
    }  # fmt: skip
    assert hosts == set(ENGINES)
    assert settings.registry_url == f"http://registry:{PUBLISHED['registry']}"
    assert trino.environment(settings) == {k: str(v) for k, v in ENGINES["trino"]["environment"].items()}
    assert s3.bucket(settings) == "lake"
    store = ENGINES["s3"]["environment"]
    assert (store["ROOT_ACCESS_KEY"], store["ROOT_SECRET_KEY"]) == (settings.s3_access_key, settings.s3_secret_key)
    database = ENGINES["postgres"]["environment"]
    assert database["POSTGRES_DB"] == settings.catalog_database
    assert database["POSTGRES_PASSWORD"] == settings.database_password


def test_kafka_is_configured_as_it_is_here(tmp_path: Path) -> None:
    addresses = {
        "controller.quorum.voters", "listeners", "advertised.listeners", "log.dirs", "listener.security.protocol.map"
    }  # fmt: skip
    given = ENGINES["kafka"]["environment"]
    for line in kafka.PROPERTIES.format(s=Settings(home=tmp_path)).splitlines():
        name, value = line.split("=", 1)
        variable = f"KAFKA_{name.upper().replace('.', '_')}"
        assert variable in given, name
        if name not in addresses:
            assert str(given[variable]) == value, name
    assert given["KAFKA_HEAP_OPTS"] == f"-Xmx{Settings(home=tmp_path).kafka_memory}"
    listening = OURS["ingest"]["environment"]["LAKE_KAFKA_BOOTSTRAP_SERVERS"]
    assert f"PLAINTEXT://{listening}" in given["KAFKA_ADVERTISED_LISTENERS"]


def test_postgres_is_configured_as_it_is_here(tmp_path: Path) -> None:
    here = dict(
        re.findall(r"^(\w+) = '?([^'\n]+)'?$", postgres.CONFIGURATION.format(s=Settings(home=tmp_path)), re.MULTILINE)
    )
    given = dict(one.split("=") for one in ENGINES["postgres"]["command"] if "=" in one)
    assert given and all(here[name] == value for name, value in given.items())


def test_whoever_is_waited_for_can_say_that_it_is_ready() -> None:
    for name, service in SERVICES.items():
        for other, condition in conditions(service).items():
            if condition == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for the health of {other}"
            if condition == "service_completed_successfully":
                assert "restart" not in SERVICES[other], f"{name} waits for the end of {other}, which starts again"
    assert all("healthcheck" in service for service in ENGINES.values())


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_has_everything_it_waits_for(profile: str) -> None:
    active = {n: s for n, s in SERVICES.items() if profile in s.get("profiles", [profile])}
    assert len(active) > len(ENGINES) + 1
    for name, service in active.items():
        assert set(conditions(service)) <= set(active), name
    assert {profile for service in SERVICES.values() for profile in service.get("profiles", [])} == set(PROFILES)


def test_commands_of_ours_exist() -> None:
    from stack.cli import app

    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    for group in app.registered_groups:
        names |= {c.name or c.callback.__name__ for c in group.typer_instance.registered_commands}
        names |= {g.name for g in group.typer_instance.registered_groups}
    for service in OURS.values():
        program, what = service["command"][:2]
        assert program in ("dbt", "python") or what in names, service["command"]


def test_the_image_takes_files_that_are_there() -> None:
    for source in re.findall(r"^COPY ((?!--).*) \S+$", DOCKERFILE.read_text(), re.MULTILINE):
        for path in source.split():
            assert (PROJECT / path).exists(), path
