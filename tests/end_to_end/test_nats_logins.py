"""What each part's user of NATS may do, and everything that it must not: at the server of `up`, and at one as told."""

import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.api import RePublish

from infra import processes
from infra.data_folder import free_port
from infra.embedded import EmbeddedNats
from infra.embedded_nats import binary
from services.operating.nats_logins import give_users, keep_logins, permissions
from services.process.logins import nats_file
from services.process.nats_connection import Connection, NotPermitted, connect
from tests.conftest import reachable_folder

EXAMPLE = Path(__file__).parents[2] / "infra" / "nats" / "hourbook.conf"
USERS = (*permissions(1), "customer-oka")

FORGED = "hourbook.log.0.oka.TaskClosed"
LOG, ALERTS, OTHER = "HOURBOOK-0", "HOURBOOK-ALERTS", "OTHER"
OF_STREAMS = (
    "STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.PURGE", "STREAM.INFO", "STREAM.MSG.GET",
    "STREAM.MSG.DELETE", "STREAM.SNAPSHOT", "STREAM.RESTORE", "STREAM.PEER.REMOVE", "STREAM.LEADER.STEPDOWN",
    "DIRECT.GET", "CONSUMER.CREATE", "CONSUMER.NAMES", "CONSUMER.LIST",
)  # fmt: skip
PUBLISHED = [
    *(f"$JS.API.{request}.{stream}" for request in OF_STREAMS for stream in (LOG, ALERTS, OTHER)),
    *(f"$JS.API.CONSUMER.{request}.{LOG}.another" for request in ("DELETE", "MSG.NEXT", "INFO", "PAUSE")),
    "$JS.API.CONSUMER.DURABLE.CREATE.HOURBOOK-0.mine", "$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST",
    "$JS.API.ACCOUNT.PURGE.HOURBOOK", "$JS.API.SERVER.REMOVE", "$SYS.REQ.SERVER.PING", "$JS.ACK.HOURBOOK-0.a.1.1.1.1.0",
    "hourbook.log.0.oka.TaskClosed", "hourbook.log.1.oka.TaskClosed", "hourbook.log", "hourbook.wake.0",
    "hourbook.alerts.oka.debt", "hourbook.alerts.volga.debt", "hourbook", "_INBOX.relay.answer", "_INBOX.worker.answer",
    "_INBOX.answer", "anything",
]  # fmt: skip
LISTENED = [
    ">", "*", "hourbook.>", "hourbook.log.>", "hourbook.log.0.oka.*", "hourbook.alerts.>", "hourbook.alerts.*.debt",
    "hourbook.alerts.oka.>", "hourbook.alerts.oka.debt", "hourbook.alerts.volga.>", "hourbook.alerts.volga.debt",
    "hourbook.wake.0", "_INBOX.>", "_INBOX.*", "$JS.>", "$JS.API.>", "$SYS.>", "$JS.EVENT.>", "anything",
]  # fmt: skip

RINGS = {"hourbook.wake.0", f"$JS.API.STREAM.INFO.{LOG}"}
MAY_PUBLISH: Mapping[str, set[str]] = {
    "ledger": RINGS,
    "expiry": RINGS,
    "relay": {
        "hourbook.log.0.oka.TaskClosed", "hourbook.log.1.oka.TaskClosed", f"$JS.API.STREAM.INFO.{LOG}",
        f"$JS.API.STREAM.CREATE.{LOG}", f"$JS.API.STREAM.MSG.GET.{LOG}",
    },
    "keeper": {f"$JS.API.STREAM.UPDATE.{LOG}", f"$JS.API.STREAM.DELETE.{LOG}"},
    "worker": {f"$JS.API.STREAM.INFO.{LOG}"},
    "alerts": {
        "hourbook.alerts.oka.debt", "hourbook.alerts.volga.debt", f"$JS.API.STREAM.INFO.{ALERTS}",
        f"$JS.API.STREAM.CREATE.{ALERTS}", f"$JS.API.STREAM.UPDATE.{ALERTS}",
    },
    "customer-oka": set(),
}  # fmt: skip
MAY_LISTEN: Mapping[str, set[str]] = {
    "relay": {"hourbook.wake.0"},
    "worker": {"hourbook.log.>", "hourbook.log.0.oka.*"},
    "customer-oka": {"hourbook.alerts.oka.>", "hourbook.alerts.oka.debt"},
}


@contextmanager
def embedded(folder: Path) -> Iterator[dict[str, str]]:
    """The URLs of the users at a server as `up` starts it."""
    server, logins = EmbeddedNats(folder / "nats"), folder / "logins"
    give_users(server, logins, 1)
    with server:
        keep_logins(server, logins)
        yield {user: nats_file(logins, user).read_text().strip() for user in permissions(1)}


@contextmanager
def as_told(folder: Path) -> Iterator[dict[str, str]]:
    """The same at a server with the configuration that operators are given."""
    port = free_port()
    passwords = {user: f"p-{user}" for user in USERS}
    names = {f"{user.upper().replace('-', '_')}_PASSWORD": password for user, password in passwords.items()}
    line = [binary(), "-c", str(EXAMPLE), "-a", "127.0.0.1", "-p", str(port), "-sd", str(folder / "store")]
    log = folder / "log"
    with subprocess.Popen([*line, "-l", str(log)], env=os.environ | names) as server:
        try:
            for _ in processes.until(time.monotonic() + 60):
                if log.exists() and "Server is ready" in log.read_text():
                    break
            yield {user: f"nats://{user}:{password}@127.0.0.1:{port}" for user, password in passwords.items()}
        finally:
            server.terminate()


@pytest.fixture(scope="module", params=[embedded, as_told], ids=["embedded", "as told"])
def urls(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    with reachable_folder() as folder, request.param(folder) as found:
        yield found


@pytest.fixture
async def login(urls: dict[str, str], user: str) -> AsyncIterator[Connection]:
    if user not in urls:
        pytest.skip("the server of `up` has no customers")
    client = await connect(urls[user], error_cb=ignore)
    yield client
    await client.close()


async def ignore(_: Exception) -> None:
    pass


async def permitted(client: Connection) -> bool:
    """Whether all that was asked for since the last time is permitted."""
    try:
        await client.permitted()
    except NotPermitted:
        client.refusal = None
        return False
    return True


@pytest.mark.parametrize("user", USERS)
async def test_a_user_publishes_what_its_part_has_to_and_nothing_else(login: Connection, user: str):
    done: set[str] = set()
    for subject in PUBLISHED:
        await login.publish(subject, b"{}")
        if await permitted(login):
            done.add(subject)
    assert done == MAY_PUBLISH[user]


@pytest.mark.parametrize("user", USERS)
async def test_a_user_listens_to_its_own_answers_and_to_what_its_part_has_to(login: Connection, user: str):
    done: set[str] = set()
    for subject in [*LISTENED, *(f"_INBOX.{other}.>" for other in USERS)]:
        await login.subscribe(subject)
        if await permitted(login):
            done.add(subject)
    own = set() if user == "customer-oka" else {f"_INBOX.{user}.>"}
    assert done == MAY_LISTEN.get(user, set()) | own


@pytest.fixture
async def relay(urls: dict[str, str]) -> AsyncIterator[JetStreamContext]:
    """The relay, with a stream of the log."""
    client = await connect(urls["relay"], error_cb=ignore)
    await client.jetstream().add_stream(name=LOG, subjects=["hourbook.log.0.>"])
    yield client.jetstream()
    await client.close()


async def in_log(relay: JetStreamContext) -> int:
    """How many messages were ever taken into the log's stream."""
    return (await relay.stream_info(LOG)).state.last_seq


@pytest.mark.parametrize("user", sorted({*USERS} - {"relay"}))
async def test_no_request_leads_into_the_log(login: Connection, relay: JetStreamContext, user: str):
    """Neither JetStream's answer, nor the trace of a message, comes to a subject of the log."""
    before = await in_log(relay)
    for subject in MAY_PUBLISH[user]:
        await login.publish(subject, b"?", reply=FORGED)  # that it is refused is an answer too
        await login.publish(subject, b"?", headers={"Nats-Trace-Dest": FORGED})
        await login.publish(subject, b"?", headers={"Nats-Trace-Dest": FORGED, "Nats-Trace-Only": "true"})
    await permitted(login)
    await relay.publish(FORGED, b"true")  # so that what was asked before has been answered
    assert await in_log(relay) == before + 1


async def test_who_makes_the_stream_of_alerts_cannot_let_it_publish_into_the_log(
    urls: dict[str, str], relay: JetStreamContext
):
    client = await connect(urls["alerts"], error_cb=ignore)
    alerts, before = client.jetstream(), await in_log(relay)
    await alerts.add_stream(
        name=ALERTS, subjects=["hourbook.alerts.>"], republish=RePublish("hourbook.alerts.>", "hourbook.log.0.>")
    )
    await alerts.publish("hourbook.alerts.oka.debt", b"{}", stream=ALERTS)
    await client.close()
    assert await in_log(relay) == before


async def test_a_worker_hears_what_the_relay_publishes(urls: dict[str, str], relay: JetStreamContext):
    client = await connect(urls["worker"], error_cb=ignore)
    heard = await client.subscribe("hourbook.log.0.>")
    await client.permitted()
    await relay.publish("hourbook.log.0.oka.TaskClosed", b"true", headers={"Hourbook-Position": "1"})
    message = await heard.next_msg(timeout=60)
    assert (message.data, message.headers) == (b"true", {"Hourbook-Position": "1"})
    await client.close()


@pytest.mark.parametrize("user", ["ledger"])
async def test_who_may_not_hear_the_log_is_told_so(login: Connection, user: str):
    """A subscription that is refused is silence otherwise."""
    await login.subscribe("hourbook.log.0.>")
    with pytest.raises(NotPermitted, match=r"NATS does not permit ledger to subscribe to hourbook\.log\.0\.>"):
        await login.permitted()


@pytest.mark.parametrize("user", ["ledger", "expiry"])
async def test_a_ring_comes_to_the_relay(login: Connection, urls: dict[str, str], user: str):
    relay = await connect(urls["relay"], error_cb=ignore)
    rung = await relay.subscribe("hourbook.wake.0")
    await relay.permitted()
    await login.publish("hourbook.wake.0")
    await rung.next_msg(timeout=60)
    await relay.close()


@pytest.mark.parametrize("user", ["customer-oka"])
async def test_a_customers_system_hears_the_alerts_of_its_account_alone(
    login: Connection, urls: dict[str, str], user: str
):
    heard = await login.subscribe("hourbook.alerts.oka.>")
    await login.permitted()
    alerts = await connect(urls["alerts"], error_cb=ignore)
    for account in ("volga", "oka"):
        await alerts.publish(f"hourbook.alerts.{account}.debt", account.encode())
    assert (await heard.next_msg(timeout=60)).data == b"oka"
    await alerts.close()


async def test_streams_that_were_stored_when_there_was_one_account_move_to_those_that_have_them_now(
    server_folder: Path,
):
    folder, logins = server_folder / "nats", server_folder / "logins"
    with EmbeddedNats(folder) as earlier:
        everybody = await nats.connect(earlier.url)
        for stream, subject in ((LOG, "hourbook.log.0"), (ALERTS, "hourbook.alerts")):
            await everybody.jetstream().add_stream(name=stream, subjects=[f"{subject}.>"])
            await everybody.jetstream().publish(f"{subject}.oka.one", b"kept")
        await everybody.close()
    for _ in range(2):
        server = EmbeddedNats(folder)
        give_users(server, logins, 1)
        with server:
            keep_logins(server, logins)
            owner, alerts = (
                await nats.connect(server.url),
                await connect(nats_file(logins, "alerts").read_text().strip()),
            )
            assert (await owner.jetstream().get_msg(LOG, seq=1)).data == b"kept"
            assert (await alerts.jetstream().stream_info(ALERTS)).state.messages == 1
            await owner.close()
            await alerts.close()


async def test_nobody_is_let_in_without_a_password(urls: dict[str, str]):
    place = urlsplit(urls["relay"]).netloc.rpartition("@")[2]
    for who in ("", "relay@", "relay:@", "relay:relay@", "hourbook@", "hourbook:hourbook@", "nobody:secret@"):
        with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
            await connect(f"nats://{who}{place}", error_cb=ignore)


def test_the_users_are_in_no_command_line(urls: dict[str, str]):
    for url in urls.values():
        assert urlsplit(url).password not in "".join(processes_running())


def processes_running() -> Iterator[str]:
    """The command lines of this machine's processes."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield process.read_bytes().decode(errors="replace")
        except OSError:
            continue
