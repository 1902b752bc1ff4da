"""The commands `hourbook bitrix24 …`: the portal that the work comes from."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from services.access.options import DEFAULT_URL, KeyFile, Month, Url
from services.process.operator_error import OperatorError

if TYPE_CHECKING:
    from services.bitrix24.comparison import Comparison
    from services.bitrix24.recording import Outcome

bitrix24 = typer.Typer(name="bitrix24", no_args_is_help=True, help="The Bitrix24 portal that the work comes from.")
complaints = Console(stderr=True)

Done = TypeVar("Done")
Settings = Annotated[Path, typer.Argument(help="The settings of the connector, a TOML file.")]


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
    from services.bitrix24.comparison import compared

    found = asyncio.run(_joined(settings, url, key_file, lambda *sides: compared(*sides, month)))
    if found.differences:
        Console().print(_table(found, month))
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
) -> None:
    """Charge what the portal's customers have confirmed, round by round, a line for each task and what became of it.

    A task is charged once, whatever is interrupted. What the ledger refuses, what is not clear, and what has changed
    since it was charged, is printed when it first is so, and tried again in each round. Such changes are recorded where
    `apply` of the settings allows it. Where the portal cannot be read whole, nothing is recorded in that round.
    """
    from services.bitrix24.recording import Rounds, keep_recording

    async def recorded(*sides: Any) -> bool:
        rounds = Rounds(*sides)
        if not once:
            await keep_recording(rounds, every, _say, _complain)
        outcomes = await rounds.next()
        _say(outcomes)
        return all(outcome.outcome == "recorded" for outcome in outcomes)

    if not asyncio.run(_joined(settings, url, key_file, recorded)):
        raise typer.Exit(1)


def _say(outcomes: Iterable["Outcome"]) -> None:
    for outcome in outcomes:
        print("\t".join(filter(None, outcome)), flush=True)


def _complain(sentence: str) -> None:
    complaints.print(sentence, highlight=False, soft_wrap=True)


async def _joined(settings: Path, url: str, key_file: Path | None, work: Callable[..., Awaitable[Done]]) -> Done:
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


def _table(found: "Comparison", month: str) -> Table:
    table = Table("account", "task", "difference", "", title=f"Portal and ledger, {month}")
    for each in found.differences:
        table.add_row(each.account_id, each.task_id, each.kind, each.sentence)
    return table
