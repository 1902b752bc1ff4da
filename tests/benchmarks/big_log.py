"""What a long log costs: filled over HTTP, replayed, rebuilt, asked; beside a short one and the stock library."""

import time
from collections.abc import Iterator
from statistics import median

import httpx

from tests.benchmarks import sides
from tests.benchmarks.figures import Figure, in_turn

SHORT_EVENTS = 10_000
ACCOUNTS = 1000
DEEP_EVENTS = 100_000
SHALLOW_EVENTS = 100
STOCK_EVENTS = 20_000
STOCK_PROJECTED = 2_000
STOCK_ACCOUNTS = 10
CHUNK_COMMANDS = 100_000
QUESTIONS = 100
ROUNDS = 3
AS_OF = "2026-07-20T00:00:00+03:00"


def big_log(server_url: str, events: int, seconds: int) -> Iterator[Figure]:
    """Fill a long log and a short one, and measure both."""
    long, short, stock = (sides.database(server_url, name) for name in ("long", "short", "stock-long"))
    deep = min(DEEP_EVENTS, events // 4)
    yield _filled(long, events - deep, deep)
    _fill_short(short)
    yield from _appended(long, short, seconds)
    yield _replayed(long, stock)
    yield from _rebuilt(long, short, stock, events)
    yield from _asked(long, short, deep)


def _away(database_url: str) -> dict[str, str]:
    return sides.environment(database_url, NATS_URL="nats://127.0.0.1:1")


def _filled(long: str, events: int, deep: int) -> Figure:
    """Memory of the service, after its first commands and after all of them."""
    with sides.serving(sides.ledger_alone(), _away(long)) as ledger:
        _send(ledger.port, SHORT_EVENTS, ACCOUNTS, "first")
        first = ledger.memory
        left, chunk = events - SHORT_EVENTS, 0
        while left > 0:
            _send(ledger.port, min(CHUNK_COMMANDS, left), ACCOUNTS, f"c{chunk}")
            left, chunk = left - CHUNK_COMMANDS, chunk + 1
        _send(ledger.port, deep, 1, "deep")
        after = f"after the first {SHORT_EVENTS:,}"
        measure = f"memory of the service over {events + deep:,} commands"
        return Figure(measure, after, "alone", ledger.memory / 2**20, first / 2**20, "MiB", 1.3, at_most=True)


def _send(port: int, commands: int, accounts: int, run: str) -> None:
    sides.run("", "mixed_commands.py", port, commands, accounts, run)


def _fill_short(short: str) -> None:
    with sides.serving(sides.ledger_alone(), _away(short)) as ledger:
        _send(ledger.port, SHORT_EVENTS - SHALLOW_EVENTS, ACCOUNTS // 100, "first")
        _send(ledger.port, SHALLOW_EVENTS, 1, "shallow")


def _appended(long: str, short: str, seconds: int) -> Iterator[Figure]:
    ours, theirs = in_turn(
        ROUNDS,
        lambda _: sides.run(long, "ours.py", "append", 64, seconds)["rate"],
        lambda _: sides.run(short, "ours.py", "append", 64, seconds)["rate"],
    )
    yield Figure("append with the long log", f"with {SHORT_EVENTS:,} events", "alone", ours, theirs, "/s", 0.9)


def _replayed(long: str, stock: str) -> Figure:
    sides.run(stock, "stock.py", "fill", STOCK_ACCOUNTS, STOCK_EVENTS)
    ours, theirs = in_turn(
        1,
        lambda _: sides.run(long, "ours.py", "replay")["rate"],
        lambda _: median(sides.run(stock, "stock.py", "replay")["rate"] for _ in range(ROUNDS)),
    )
    return Figure("replay: fold the whole log", "stock repository.get", "alone", ours, theirs, "/s", 5)


def _rebuilt(long: str, short: str, stock: str, events: int) -> Iterator[Figure]:
    theirs = sides.run(stock, "stock.py", "project", STOCK_PROJECTED)["rate"]
    with sides.serving(sides.ledger_alone(), _away(short)) as ledger:
        sides.run(short, "ours.py", "rebuild", ledger.port)
    with sides.serving(sides.ledger_alone(), _away(long)) as ledger:
        done = sides.run(long, "ours.py", "rebuild", ledger.port)
    yield Figure("balances rebuilt from the feed", "stock ProjectionRunner", "alone", done["rate"], theirs, "/s", 50)
    memory = (done["memory"] / 2**20, done["memory_first"] / 2**20)
    measure, after = f"memory of the worker over {events:,} events", f"after the first {SHORT_EVENTS:,}"
    yield Figure(measure, after, "alone", *memory, "MiB", 1.3, at_most=True)


def _asked(long: str, short: str, deep: int) -> Iterator[Figure]:
    """The median time of a balance as of a past day."""
    line = ["-m", "services", "projections", "--only", "api"]
    with sides.serving(line, _away(long)) as of_long, sides.serving(line, _away(short)) as of_short:
        in_long, in_short, of_deep, of_shallow = in_turn(
            ROUNDS,
            lambda _: _time(of_long.url, "first-1"),
            lambda _: _time(of_short.url, "first-1"),
            lambda _: _time(of_long.url, "deep-0"),
            lambda _: _time(of_short.url, "shallow-0"),
        )
    short_log = f"with {SHORT_EVENTS:,} events"
    yield Figure("as-of balance with the long log", short_log, "alone", in_long, in_short, "ms", 1.2, at_most=True)
    measure, against = f"as-of balance of {deep:,} events", f"of {SHALLOW_EVENTS} events"
    yield Figure(measure, against, "alone", of_deep, of_shallow, "ms", 2, at_most=True)


def _time(url: str, account_id: str) -> float:
    """Milliseconds."""
    took: list[float] = []
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        for _ in range(QUESTIONS):
            began = time.perf_counter()
            client.get(f"/v1/accounts/{account_id}/balance", params={"as_of": AS_OF}).raise_for_status()
            took.append(time.perf_counter() - began)
    return median(took) * 1000
