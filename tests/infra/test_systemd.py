"""The units for one machine: one for each part, with its own secrets, understood by systemd."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from services.operating.parts import COMMANDS
from services.operating.start_conditions import KNOWN
from tests.infra.test_compose import OPTIONAL, SERVICES

FOLDER = Path(__file__).parents[2] / "infra" / "systemd"
BACKUPS = {"archive": "archive", "backup": "backup --keep 3", "drill": "drill"}
"""What each of these units runs."""

OF_OWNER = ("migrate", *BACKUPS)
"""Who enters as the owner of everything, or as a superuser."""

PROGRAM = "/opt/hourbook/bin/hourbook"
UNITS = {file.stem.removeprefix("hourbook-"): file for file in FOLDER.glob("hourbook-*.service")}


def given(unit: str, key: str) -> list[str]:
    """The values of a key in a part's unit."""
    return re.findall(rf"^{key}=(.*)$", UNITS[unit].read_text(encoding="utf-8"), re.MULTILINE)


def test_every_part_has_a_unit_with_its_command_and_a_port_of_its_own():
    assert set(UNITS) == {*COMMANDS, *OF_OWNER}
    ports = set[str]()
    for part, line in COMMANDS.items():
        (command,) = given(part, "ExecStart")
        assert command.startswith(" ".join((PROGRAM, *line)))
        ports |= set(re.findall(r"-?port (\d+)", command))
    assert len(ports) == len(COMMANDS)


def test_the_target_starts_every_part_that_always_runs():
    (wanted,) = re.findall(r"^Wants=(.*)$", (FOLDER / "hourbook.target").read_text(), re.MULTILINE)
    assert set(wanted.split()) == {UNITS[part].name for part in COMMANDS if part not in OPTIONAL}


def test_every_setting_is_one_and_every_file_that_it_names_is_given():
    for part in UNITS:
        settings = dict(word.split("=", 1) for line in given(part, "Environment") for word in line.split())
        assert not set(settings) - KNOWN, part
        credentials = {each.partition(":")[0] for each in given(part, "LoadCredential")}
        named = {value.removeprefix("%d/") for value in settings.values() if value.startswith("%d/")}
        assert named <= credentials, part
        kept = [f"%S/{folder}" for line in given(part, "StateDirectory") for folder in line.split()]
        for value in settings.values():
            assert not value.startswith("%S/") or any(value.startswith(folder) for folder in kept), part


def test_a_part_is_shown_the_logins_that_compose_shows_it():
    for part in UNITS:
        shown = {each.partition(":")[0] for each in given(part, "LoadCredential")}
        logins = {each for each in shown if each.endswith((".database", ".nats"))}
        given_there = SERVICES.get(part, {}).get("secrets", ())
        compose = {each for each in given_there if each.endswith((".database", ".nats"))}
        assert logins == ({"owner.database"} if part in OF_OWNER else compose), part


def test_backups_are_archived_made_and_drilled_by_the_clock():
    """In one folder."""
    folder = "HOURBOOK_BACKUPS=%S/hourbook-backups"
    for unit, command in BACKUPS.items():
        assert given(unit, "ExecStart")[0].startswith(f"{PROGRAM} {command} --data %S/hourbook"), unit
        assert folder in given(unit, "Environment"), unit
        assert "hourbook-backups" in given(unit, "StateDirectory"), unit
    assert {file.stem for file in FOLDER.glob("*.timer")} == {"hourbook-backup", "hourbook-drill"}
    assert any("HOURBOOK_ERASURES_FILE=%S/hourbook/" in line for line in given("service", "Environment"))
    assert given("archive", "WantedBy") == ["hourbook.target"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_them_and_finds_them_hardened(tmp_path: Path):
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    for file in tmp_path.glob("*.service"):
        file.write_text(file.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true"), encoding="utf-8")
    kinds = ("*.service", "*.timer", "*.target")
    units = [f"./{file.name}" for kind in kinds for file in tmp_path.glob(kind)]
    services = [unit for unit in units if unit.endswith(".service")]
    verified = analysed(tmp_path, "verify", *units)
    assert [line for line in verified.stderr.splitlines() if "hourbook" in line] == []
    assert verified.returncode == 0
    judged = analysed(tmp_path, "security", "--offline=true", "--threshold=20", *services)
    assert judged.returncode == 0, judged.stdout


def analysed(folder: Path, *line: str) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says of units in a folder."""
    environment = {"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin"}
    line = ("systemd-analyze", *line)
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
