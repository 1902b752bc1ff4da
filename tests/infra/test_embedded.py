"""The embedded servers keep what they were given through any end, and two programs never share a folder."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import nats
import psutil
import pytest

from infra import processes
from infra.embedded import Embedded, EmbeddedNats, EmbeddedPostgres
from services.process.operator_error import OperatorError

OTHER_PROGRAM = """
import sys
import threading
from pathlib import Path
from infra.embedded import Embedded

with Embedded(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def publish(url: str) -> None:
    client = await nats.connect(url)
    await client.jetstream().add_stream(name="KEPT", subjects=["kept"])
    await client.jetstream().publish("kept", b"an event")
    await client.close()


async def messages_kept(url: str) -> int:
    client = await nats.connect(url)
    stream = await client.jetstream().stream_info("KEPT")
    await client.close()
    return stream.state.messages


@pytest.fixture
def other_program(server_folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another program with both servers running in the folder."""
    command = [sys.executable, "-c", OTHER_PROGRAM, str(server_folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"ready\n"
        yield program
        program.kill()


def servers_in(folder: Path) -> list[psutil.Process]:
    servers = Embedded(folder)
    pid_files = (servers.postgres.pid_file, servers.nats.pid_file)
    return [psutil.Process(int(file.read_text().split()[0])) for file in pid_files]


async def test_postgres_keeps_commits_and_port_through_a_kill(server_folder: Path):
    with EmbeddedPostgres(server_folder) as postgres:
        url = postgres.url
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")

        postgres.kill()
        assert not postgres.alive()
        postgres.start()

        assert postgres.url == url
        assert await ask(url, "SELECT answer FROM kept") == 42


async def test_nats_keeps_messages_and_port_through_a_kill(server_folder: Path):
    with EmbeddedNats(server_folder) as server:
        url = server.url
        await publish(url)

        server.kill()
        assert not server.alive()
        server.start()

        assert server.url == url
        assert await messages_kept(url) == 1


async def test_both_come_back_on_their_ports_in_a_later_run(server_folder: Path):
    with Embedded(server_folder) as servers:
        urls = servers.database_url, servers.nats_url
        await publish(servers.nats_url)
    with Embedded(server_folder) as servers:
        assert (servers.database_url, servers.nats_url) == urls
        assert await messages_kept(servers.nats_url) == 1


async def test_a_port_taken_meanwhile_is_given_up_for_another(server_folder: Path):
    with EmbeddedNats(server_folder) as server:
        taken = server.port
    with socket.create_server(("127.0.0.1", taken or 0)), EmbeddedNats(server_folder) as server:
        assert server.port != taken


async def test_durability_is_never_traded_away(server_folder: Path):
    with EmbeddedPostgres(server_folder) as postgres:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert await ask(postgres.url, f"SHOW {setting}") == "on"


async def test_text_sorts_alike_on_every_machine(server_folder: Path):
    sql = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'hourbook'"
    with EmbeddedPostgres(server_folder) as postgres:
        assert await ask(postgres.url, sql) == "bC.UTF-8"
        assert await ask(postgres.url, "SHOW server_encoding") == "UTF8"


def test_a_server_outlives_the_thread_that_started_it(server_folder: Path):
    server = EmbeddedNats(server_folder)
    starting = threading.Thread(target=server.start)
    starting.start()
    starting.join()
    with server:
        process = psutil.Process(int(server.pid_file.read_text()))
        assert not processes.wait_gone([process], seconds=0.5)


async def test_a_password_is_asked_for(server_folder: Path):
    with EmbeddedPostgres(server_folder) as postgres:
        guessed = postgres.url.replace(postgres.folder.password(), "guessed")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(guessed)
        assert (server_folder / "password").stat().st_mode & 0o077 == 0


async def test_two_run_side_by_side(server_folder: Path):
    with Embedded(server_folder / "one") as one, Embedded(server_folder / "two") as two:
        for url in (one.database_url, two.database_url):
            assert await ask(url, "SELECT 1") == 1
        ports = {one.postgres.port, one.nats.port, two.postgres.port, two.nats.port}
        assert len(ports) == 4


def test_a_folder_in_use_is_refused_and_left_alone(server_folder: Path, other_program: subprocess.Popen[bytes]):
    with pytest.raises(OperatorError, match=str(other_program.pid)):
        Embedded(server_folder).start()
    assert all(map(processes.is_alive, servers_in(server_folder)))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_servers_do_not_outlive_a_killed_program(server_folder: Path, other_program: subprocess.Popen[bytes]):
    orphans = servers_in(server_folder)
    other_program.kill()
    assert processes.wait_gone(orphans, seconds=60)


async def test_an_orphan_that_hangs_is_ended_by_the_next_start(
    server_folder: Path, other_program: subprocess.Popen[bytes]
):
    orphans = servers_in(server_folder)
    for orphan in orphans:
        orphan.suspend()
    other_program.kill()
    other_program.wait()
    assert all(map(processes.is_alive, orphans))

    with Embedded(server_folder) as servers:
        assert not any(map(processes.is_alive, orphans))
        assert await ask(servers.database_url, "SELECT 1") == 1


async def test_a_pid_file_whose_number_was_reused_does_not_matter(server_folder: Path):
    with EmbeddedPostgres(server_folder) as postgres:
        postgres.kill()
        lines = postgres.pid_file.read_text().splitlines()
        postgres.pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
        postgres.start()
        assert await ask(postgres.url, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
async def test_root_without_user_namespaces_becomes_nobody(server_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "namespaces_allowed", lambda: False)
    with EmbeddedPostgres(server_folder) as postgres:
        assert servers_owner(postgres) != 0
        assert await ask(postgres.url, "SELECT 1") == 1


def servers_owner(postgres: EmbeddedPostgres) -> int:
    return psutil.Process(int(postgres.pid_file.read_text().split()[0])).uids().real


def test_a_failed_start_shows_the_end_of_the_log_and_frees_the_folder(server_folder: Path):
    with EmbeddedPostgres(server_folder) as postgres:
        postgres.stop()
        (server_folder / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
        with pytest.raises(OperatorError, match="no_such_setting"):
            postgres.start()
        with pytest.raises(OperatorError, match="DATABASE_URL"):
            EmbeddedPostgres(server_folder).start()


def test_a_set_up_cut_short_is_done_again(server_folder: Path):
    (server_folder / "data.partial").mkdir()
    (server_folder / "data.partial" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(server_folder) as postgres:
        assert postgres.alive()


def test_stopping_is_a_clean_shutdown(server_folder: Path):
    with EmbeddedPostgres(server_folder) as postgres:
        pass
    assert not postgres.alive()
    assert "database system is shut down" in postgres.folder.log.read_text()
