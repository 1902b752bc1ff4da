"""The commands `hourbook bitrix24 …`: the portal that the work comes from."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table

from services.access.options import DEFAULT_URL, KeyFile, Month, Url
from services.process.operator_error import OperatorError
from services.process.terminal import console, say

if TYPE_CHECKING:
    from httpx import AsyncClient

    from services.bitrix24.comparison import Comparison
    from services.bitrix24.portal import Portal
    from services.bitrix24.recording import Outcome
    from services.bitrix24.settings import Connector

bitrix24 = typer.Typer(name="bitrix24", no_args_is_help=True, help="The Bitrix24 portal that the work comes from.")

Done = TypeVar("Done")
Settings = Annotated[
    Path, typer.Argument(help="The settings of the connector, a TOML file.", envvar="HOURBOOK_BITRIX24_FILE")
]


@bitrix24.command()
def check(
    settings: Settings,
    month: Month,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
) -> None:
    """Hold a month of the portal's tasks to the ledger's, and print each difference; exit code 1 where there is one.

    Records nothing. What would make them agree is tried as a dry run, and shown with the ledger's refusal.
    """
    _compare(settings, month, url, key_file, kept=False)


@bitrix24.command()
def drift(
    settings: Settings,
    month: Month,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
) -> None:
    """The same, and have the ledger keep the comparison beside its log, for the page /drift and for auditors."""
    _compare(settings, month, url, key_file, kept=True)


def _compare(settings: Path, month: str, url: str, key_file: Path | None, *, kept: bool) -> None:
    from datetime import UTC, datetime

    from services.bitrix24.comparison import compared
    from services.bitrix24.drift import drift_body
    from services.bitrix24.reporting import record_drift

    async def work(portal: "Portal", hourbook: "AsyncClient", told: "Connector") -> "Comparison":
        found = await compared(portal, hourbook, told, month)
        if kept:
            await record_drift(hourbook, month, drift_body(found, datetime.now(UTC)))
        return found

    found = asyncio.run(_joined(settings, url, key_file, work))
    if found.differences:
        console.print(_table(found))
    print(f"{found.agreed} tasks of {month} agree, {len(found.differences)} differ")
    if found.differences:
        raise typer.Exit(1)


@bitrix24.command()
def run(
    settings: Settings,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
    once: Annotated[bool, typer.Option("--once", help="One round; exit code 1 where a task is not recorded.")] = False,
    every: Annotated[float, typer.Option(help="Seconds from one round to the next.", min=10)] = 300,
    metrics_port: Annotated[
        int | None, typer.Option(help="A port with /metrics and /health/live.", min=1, max=65535)
    ] = None,
) -> None:
    """Charge what the portal's customers have confirmed, round by round, a line for each task and what became of it.

    A task is charged once, whatever is interrupted. What the ledger refuses, what is not clear, and what has changed
    since it was charged, is printed when it first is so, and tried again in each round. Such changes are recorded where
    `apply` of the settings allows it. Where the portal cannot be read whole, nothing is recorded in that round. After
    each round the ledger is told how the portal is, and where the months differ.
    """
    from services.bitrix24.recording import Rounds
    from services.bitrix24.reporting import Reports
    from services.bitrix24.running import keep_recording, one_round
    from services.process.logs import LogSettings, begin_log
    from services.process.metrics import serve_metrics
    from services.process.settings import read
    from services.process.stopping import run_until_stopped
    from services.process.tracing import begin_tracing

    async def once_only(*sides: Any) -> bool:
        return await one_round(Reports(Rounds(*sides), every), _say)

    async def again_and_again(*sides: Any) -> None:
        await keep_recording(Reports(Rounds(*sides), every), every, _say, say)

    if not once:
        begin_log("bitrix24", read(LogSettings))
        begin_tracing("bitrix24")
        serve_metrics(metrics_port)
        run_until_stopped(_joined(settings, url, key_file, again_and_again))
    elif not asyncio.run(_joined(settings, url, key_file, once_only)):
        raise typer.Exit(1)


def _say(outcomes: Iterable["Outcome"]) -> None:
    for outcome in outcomes:
        print("\t".join(filter(None, outcome)), flush=True)


async def _joined(
    settings: Path, url: str, key_file: Path | None, work: Callable[..., Coroutine[Any, Any, Done]]
) -> Done:
    """What comes of work with a portal, a Hourbook, and the settings; OperatorError where the portal fails it."""
    import httpx

    from services.access.caller import Caller
    from services.bitrix24.pace import Pace
    from services.bitrix24.portal import ANSWER_SECONDS_MAX, Portal, PortalFault
    from services.bitrix24.settings import connector
    from services.process.address import hourbook_at
    from services.process.outside import outside_client
    from services.process.settings import parsed

    told = parsed("settings", settings, lambda file: connector(file or settings))
    with hourbook_at(url):
        async with Caller.of(url, key_file).async_client() as hourbook, outside_client() as client:
            client.timeout = httpx.Timeout(ANSWER_SECONDS_MAX)
            try:
                return await work(Portal(told.webhook, client, Pace()), hourbook, told)
            except PortalFault as fault:
                raise OperatorError(f"The portal cannot be read: {fault}.") from fault


def _table(found: "Comparison") -> Table:
    table = Table("account", "task", "difference", "", title=f"Portal and ledger, {found.month}")
    for each in found.differences:
        table.add_row(each.account_id, each.task_id, each.kind, each.sentence)
    return table
