"""The compose file: every part runs in it, with its own secrets, and all that it names is there."""

import re
import stat
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from services.operating.database_logins import ROLES_OF
from services.operating.nats_logins import permissions
from services.operating.parts import COMMANDS
from services.operating.start_conditions import KNOWN
from services.process.logins import database_file, nats_file

FOLDER = Path(__file__).parents[2] / "infra" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "hourbook:" in service["image"]}
BACKUPS = {name: service for name, service in SERVICES.items() if "hourbook-backup:" in service["image"]}
BACKED_UP = {"backup", "drill"}
OPTIONAL = {name for name in COMMANDS if "profiles" in SERVICES[name]}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of compose.yaml after secrets.sh has run in it."""
    folder = tmp_path_factory.mktemp("compose")
    script = folder / "secrets.sh"
    script.write_bytes((FOLDER / "secrets.sh").read_bytes())
    subprocess.run(["sh", script], check=True)
    return folder / "secrets"


def test_every_part_runs_with_its_command():
    for part, line in COMMANDS.items():
        assert tuple(SERVICES[part]["command"][: len(line)]) == line
        if part != "service":
            assert SERVICES[part]["command"][-2:] == ["--metrics-port", "8000"]
    assert set(OURS) == {*COMMANDS, "migrate", "keys"}


def test_prometheus_asks_every_part_and_misses_none_that_does_not_run():
    (asked,) = yaml.safe_load((FOLDER / "prometheus.yaml").read_text(encoding="utf-8"))["scrape_configs"]
    always = {each["labels"]["part"]: each["targets"] for each in asked["static_configs"]}
    assert always == {part: [f"{part}:8000"] for part in COMMANDS if part not in OPTIONAL}
    assert {name for each in asked["dns_sd_configs"] for name in each["names"]} == OPTIONAL | BACKED_UP


def test_a_part_of_a_profile_makes_no_other_wait():
    assert not OPTIONAL & {other for service in SERVICES.values() for other in service.get("depends_on", {})}


def test_the_connector_is_shown_its_own_key_and_no_login():
    (secret,) = SERVICES["bitrix24"]["secrets"]
    assert not secret.endswith((".database", ".nats"))
    holders = [name for name, each in OURS.items() if "connector:" in "".join(each.get("volumes", ()))]
    assert holders == ["keys", "bitrix24"]
    assert not [each for each in SERVICES["bitrix24"]["volumes"] if each.startswith("keys:")]


def test_every_setting_is_one():
    for name, service in (OURS | BACKUPS).items():
        assert not set(service["environment"]) - KNOWN, name


def test_backups_are_archived_made_and_drilled_of_everything_that_cannot_be_made_again():
    """In one folder, by parts of one profile, which no other part waits for."""
    assert set(BACKUPS) == {"archive", *BACKED_UP}
    shown = {mount.split(":")[0] for name in OURS for mount in SERVICES[name].get("volumes", ())} - {"auditor"}
    for name, service in BACKUPS.items():
        assert service["command"][0] == name
        assert service["profiles"] == ["backup"]
        assert service["environment"]["HOURBOOK_BACKUPS"] == "/var/lib/hourbook-backups"
        mounts = [mount.split(":") for mount in service["volumes"]]
        assert {mount[0] for mount in mounts} == shown | {"backups", "drill"}
        assert {mount[0] for mount in mounts if mount[-1] != "ro"} == {"backups", "drill"}
    for name in BACKED_UP:
        assert "--every" in SERVICES[name]["command"]
        assert SERVICES[name]["command"][-2:] == ["--metrics-port", "8000"]
    assert not [name for name, each in SERVICES.items() if set(BACKUPS) & set(each.get("depends_on", {}))]


def test_everything_is_hardened():
    for name, service in SERVICES.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service


def test_what_is_waited_for_can_come():
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            waited_for = SERVICES[other]
            known = "healthcheck" in waited_for or other in COMMANDS
            assert known if how["condition"] == "service_healthy" else waited_for["restart"] == "no", (name, other)


def test_ports_are_open_on_this_machine_alone():
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_file_and_volume_is_there(secrets: Path):
    for name, service in SERVICES.items():
        for each in service.get("volumes", ()):
            source = each.partition(":")[0]
            known = (secrets.parent / source).exists() or (FOLDER / source).exists()
            assert known if source.startswith(".") else source in COMPOSE["volumes"], (name, source)
        for each in service.get("env_file", ()):
            assert (secrets.parent / each).exists(), (name, each)
    used = {each.partition(":")[0] for service in SERVICES.values() for each in service.get("volumes", ())}
    assert set(COMPOSE["volumes"]) <= used


def test_secrets_are_made_once_and_shown_to_their_parts(secrets: Path):
    named = {name: secrets.parent / secret["file"] for name, secret in COMPOSE["secrets"].items()}
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    made = {name: file.read_text() for name, file in named.items()}
    subprocess.run(["sh", secrets.parent / "secrets.sh"], check=True)
    assert made == {name: file.read_text() for name, file in named.items()}
    used = {name for service in SERVICES.values() for name in service.get("secrets", ())}
    assert used == set(named)
    assert {each for each in used if each.endswith(".nats")} == {f"{user}.nats" for user in permissions(1)}
    owner = [name for name, service in SERVICES.items() if "owner.database" in service.get("secrets", ())]
    assert owner == ["migrate", *BACKUPS]


def test_nats_is_given_every_password_that_its_configuration_names(secrets: Path):
    configuration = (FOLDER.parent / "nats" / "hourbook.conf").read_text(encoding="utf-8")
    given = dict(line.split("=", 1) for line in (secrets / "nats.env").read_text().splitlines())
    assert set(re.findall(r"\$([A-Z_]+_PASSWORD)", configuration)) == set(given)
    for user in permissions(1):
        url = urlsplit(nats_file(secrets, user).read_text().strip())
        assert (url.username, url.password) == (user, given[f"{user.upper()}_PASSWORD"])
        assert (url.hostname, url.port) == ("nats", 4222)


def test_logins_are_called_as_migrate_calls_them(secrets: Path):
    owner = urlsplit(database_file(secrets, "owner").read_text().strip())
    for part in ROLES_OF:
        login = urlsplit(database_file(secrets, part).read_text().strip())
        assert login.username == f"{part}_of{owner.path.replace('/', '_')}"
        assert login.netloc.rpartition("@")[2] == owner.netloc.rpartition("@")[2]
