"""The commands `hourbook bitrix24 …`: the portal that the work comes from."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.access.options import DEFAULT_URL, KeyFile, Month, Url
from services.process.operator_error import OperatorError

if TYPE_CHECKING:
    from services.bitrix24.comparison import Comparison
    from services.bitrix24.settings import Connector

bitrix24 = typer.Typer(name="bitrix24", no_args_is_help=True, help="The Bitrix24 portal that the work comes from.")


@bitrix24.callback()
def of_portal() -> None:
    """With a callback `check` is a command of its own, though there is no other."""


@bitrix24.command()
def check(
    settings: Annotated[Path, typer.Argument(help="The settings of the connector, a TOML file.")],
    month: Month,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
) -> None:
    """Hold a month of the portal's tasks to the ledger's, and print each difference; exit code 1 where there is one.

    Records nothing. What is confirmed and not charged is tried as a dry run, and shown with the ledger's refusal.
    """
    from services.bitrix24.settings import connector
    from services.process.settings import parsed

    told = parsed("settings", settings, lambda file: connector(file or settings))
    found = asyncio.run(_compared(told, month, url, key_file))
    if found.differences:
        Console().print(_table(found, month))
    print(f"{found.agreed} tasks of {month} agree, {len(found.differences)} differ")
    if found.differences:
        raise typer.Exit(1)


async def _compared(told: "Connector", month: str, url: str, key_file: Path | None) -> "Comparison":
    import httpx

    from services.access.caller import Caller
    from services.bitrix24.comparison import compared
    from services.bitrix24.pace import Pace
    from services.bitrix24.portal import ANSWER_SECONDS_MAX, Portal, PortalFault
    from services.process.address import hourbook_at
    from services.process.outside import outside_client

    with hourbook_at(url):
        async with Caller.of(url, key_file).async_client() as hourbook, outside_client() as client:
            client.timeout = httpx.Timeout(ANSWER_SECONDS_MAX)
            try:
                return await compared(Portal(told.webhook, client, Pace()), hourbook, told, month)
            except PortalFault as fault:
                raise OperatorError(f"Nothing can be said of {month}: {fault}.") from fault


def _table(found: "Comparison", month: str) -> Table:
    table = Table("account", "task", "difference", "", title=f"Portal and ledger, {month}")
    for each in found.differences:
        table.add_row(each.account_id, each.task_id, each.kind, each.sentence)
    return table
