"""Hourbook against its peers on the same PostgreSQL, everything durable, in one run: what `hourbook bench` does."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console

from infra.embedded import EmbeddedPostgres
from tests.benchmarks import figures, sides
from tests.benchmarks.big_log import big_log
from tests.benchmarks.doors import cost_of_doors
from tests.benchmarks.figures import Figure, in_turn
from tests.benchmarks.ours import CLOSED
from tests.benchmarks.visible import visible
from tests.benchmarks.web_pages import CHROMIUM, cost_of_pages
from tests.benchmarks.whole import REST_SECONDS, whole_system

ROUNDS = 3
MANY_ROUNDS = 9
"""Where sides differ by as much as one of them does from round to round."""
STOCK_THREADS = (1, 4, 16)


@dataclass(frozen=True)
class Bench:
    """What all measurements share: one server, and how long each side is measured in all."""

    postgres: EmbeddedPostgres
    folder: Path
    seconds: float
    events: int
    console: Console

    @property
    def round_seconds(self) -> int:
        """Of one side in one round."""
        return max(1, round(self.seconds / ROUNDS))


def measure(seconds: float, events: int, output: Path, console: Console) -> None:
    """Measure every row, show the table, write JSON; `events` is the length of the long log.

    Without a door, for the peers have none; but where its cost is what is measured.
    """
    os.environ["HOURBOOK_ACCESS"] = "open"
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="hourbook-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        os.environ["HOURBOOK_REQUEST_LOG_FILE"] = str(folder / "requests.log")
        with EmbeddedPostgres(folder / "postgres") as postgres:
            require_durable(postgres.url)
            bench = Bench(postgres, folder, seconds, events, console)
            for part in (appending, closing, doors, proving, whole, web_pages, long_log):
                console.print(f"measuring: {(part.__doc__ or '').splitlines()[0]}", highlight=False)
                for figure in part(bench):
                    found.append(figure)
                    figures.write(found, output)
    figures.show(found, console)


def require_durable(database_url: str) -> None:
    """No figure is bought with durability: refuse to measure a server that does not wait for its disk."""
    with psycopg.connect(database_url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            value = connection.execute(f"SHOW {setting}").fetchone()
            if value != ("on",):
                raise RuntimeError(f"{setting} is {value[0] if value else 'unknown'}, not on: nothing is measured")


def appending(bench: Bench) -> Iterator[Figure]:
    """appending events, one a command."""
    stock, rows, ours = (sides.database(bench.postgres.url, name) for name in ("stock", "rows", "ours"))
    seconds, keys = bench.round_seconds, sides.keys_in(bench.folder / "beside")
    rates = {threads: sides.run(stock, "stock.py", "append", threads, seconds)["rate"] for threads in STOCK_THREADS}
    best = max(rates, key=lambda threads: rates[threads])
    many = "append, one event a command, 64 writers"
    for state, everything in (("alone", None), ("everything", ours)):
        with _beside(bench, everything):
            at_64, stock_best, pgbench, at_1, stock_1, deciding = in_turn(
                ROUNDS,
                lambda _: sides.run(ours, "ours.py", "append", 64, seconds, **keys)["rate"],
                lambda _: sides.run(stock, "stock.py", "append", best, seconds)["rate"],
                lambda _: sides.pgbench(rows, seconds, CLOSED)["rate"],
                lambda _: sides.run(ours, "ours.py", "append", 1, seconds, **keys)["rate"],
                lambda _: sides.run(stock, "stock.py", "append", 1, seconds)["rate"],
                lambda _: sides.run(ours, "ours.py", "close", 64, seconds, **keys)["rate"],
            )
        yield Figure(many, f"stock eventsourcing, {best} threads", state, at_64, stock_best, "/s", 30)
        yield Figure(many, "pgbench, 200 rows a transaction", state, at_64, pgbench, "/s", 0.4)
        yield Figure("append, one writer", "stock eventsourcing, one thread", state, at_1, stock_1, "/s", 2)
        yield Figure("close-task in process", f"stock, {best} threads", state, deciding, stock_best, "/s", 5)


def _beside(bench: Bench, database_url: str | None) -> AbstractContextManager[object]:
    """All of Hourbook's processes at work on that database; nothing, without one."""
    if database_url is None:
        return nullcontext()
    return sides.everything(bench.folder / "beside", database_url, bench.console.print)


def closing(bench: Bench) -> Iterator[Figure]:
    """closing tasks over HTTP from 64 connections."""
    stock = sides.environment(sides.database(bench.postgres.url, "stock-http"))
    alone = sides.environment(sides.database(bench.postgres.url, "http"), NATS_URL="nats://127.0.0.1:1")
    seconds = bench.seconds / ROUNDS
    with (
        sides.serving(sides.uvicorn("tests.benchmarks.empty_route:create_app"), sides.environment("")) as empty,
        sides.serving(sides.uvicorn("tests.benchmarks.stock:create_app"), stock) as peer,
    ):

        def against(port: int, state: figures.State) -> Iterator[Figure]:
            sides.open_accounts(f"http://127.0.0.1:{port}")
            rates = in_turn(
                ROUNDS,
                lambda number: sides.http_load(port, seconds, f"r{number}")["rate"],
                lambda number: sides.http_load(empty.port, seconds, f"r{number}")["rate"],
                lambda number: sides.http_load(peer.port, seconds, f"{state}{number}")["rate"],
                lambda number: sides.run("", "mixed_commands.py", port, 100_000 // ROUNDS, 333, f"m{number}")["rate"],
            )
            ours, nothing, stock_rate, bulk = rates
            close = "close-task over HTTP, 64 connections"
            yield Figure(close, "an empty route, same models", state, ours, nothing, "/s", 0.55)
            yield Figure(close, "the same API on stock", state, ours, stock_rate, "/s", 5)
            yield Figure("/v1/commands, mixed", "close-task over HTTP", state, bulk, ours, "/s", 4)

        with sides.serving(sides.ledger_alone(), alone) as ledger:
            yield from against(ledger.port, "alone")
        everything = sides.database(bench.postgres.url, "everything")
        with sides.everything(bench.folder / "all", everything, bench.console.print) as url:
            port = int(url.rpartition(":")[2])
            yield from (rows := list(against(port, "everything")))
            yield from visible(port, rows[0].ours / 2, bench.seconds)


def doors(bench: Bench) -> Iterator[Figure]:
    """what the door costs: a key or a token at it, against none."""
    return cost_of_doors(bench.postgres.url, bench.folder, bench.round_seconds, ROUNDS)


def proving(bench: Bench) -> Iterator[Figure]:
    """what it costs that the log proves itself."""
    proved, plain = (sides.database(bench.postgres.url, name) for name in ("proved", "plain"))
    sides.without_evidence(plain)
    seconds, keys = max(2, bench.round_seconds // 2), sides.keys_in(bench.folder / "proved")

    sides.run(proved, "ours.py", "append", 64, 1, **keys)
    with sides.checkpointing(proved, bench.folder / "proved"):
        for what, writers, measure in (
            ("append", 64, "append, one event a command, 64 writers"),
            ("append", 1, "append, one writer"),
            ("close", 64, "close-task in process"),
        ):

            def rate(
                database: str, *left_out: str, side: tuple[str, int] = (what, writers), **more: str
            ) -> Callable[[int], float]:
                return lambda _: sides.run(database, "ours.py", *side, seconds, *left_out, **more)["rate"]

            ours, without, unsigned = in_turn(
                MANY_ROUNDS, rate(proved, **keys), rate(plain, "plain"), rate(proved, "unsigned", **keys)
            )
            against = "the same without hashes, seals, comparison, tree, checkpoints"
            yield Figure(measure, against, "alone", ours, without, "/s", 0.88)
            yield Figure(measure, "the same without signing seals", "alone", ours, unsigned, "/s", 0.95)


def web_pages(bench: Bench) -> Iterator[Figure]:
    """what the web pages add, weigh and take to paint, with a thousand customers."""
    if CHROMIUM is None:
        bench.console.print("skipped: bytes and paint of a page, for there is no Chromium on PATH", highlight=False)
    database = sides.database(bench.postgres.url, "pages")
    with sides.everything(bench.folder / "pages", database, bench.console.print) as url:
        yield from cost_of_pages(url)


def whole(bench: Bench) -> Iterator[Figure]:
    """the whole system, all its processes: at rest, at 200 closings a second, at full load."""
    return whole_system(bench.folder, bench.postgres, bench.seconds, REST_SECONDS)


def long_log(bench: Bench) -> Iterator[Figure]:
    """a long log: replay, rebuild, memory, and what its length costs."""
    return big_log(bench.postgres.url, bench.events, bench.round_seconds)
