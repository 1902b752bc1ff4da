"""The commands `hourbook import` and `hourbook export`: the log goes in as commands, and comes out as events."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.access.options import DEFAULT_URL, KeyFile, Url
from services.process.terminal import complaints, say


def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="NDJSON, one command a line.")],
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
    answers: Annotated[Path | None, typer.Option(help="Write every answer there, NDJSON.")] = None,
) -> None:
    """Send a file of commands; exit code 1 when any of them was refused."""
    from services.access.caller import Caller
    from services.operating.import_export import send
    from services.process.address import hourbook_at

    with hourbook_at(url):
        tally = asyncio.run(send(file, Caller.of(url, key_file), answers, complaints))
    for outcome, lines in sorted(tally.items()):
        print(f"{lines:>9}  {outcome}")
    if set(tally) - {"accepted", "replayed"}:
        raise typer.Exit(1)


def export(
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
    output: Annotated[Path | None, typer.Option(help="The file to write; standard output without it.")] = None,
    log: Annotated[int | None, typer.Option(help="One log alone; without it, each of them.", min=0)] = None,
    after: Annotated[int, typer.Option(help="The position to start after, in one log.", min=0)] = 0,
    page: Annotated[
        Path | None,
        typer.Option(help="A new HTML file instead: opened from disk, it verifies the log and replays any balance."),
    ] = None,
    account: Annotated[str | None, typer.Option(help="With --page: only this account's events.")] = None,
) -> None:
    """Write the whole log as NDJSON, in order; where there are several, one after another, and each line says which.

    With --page it is one HTML file that needs no network; names of people that can be erased are left out of it.
    """
    from services.access.caller import Caller
    from services.operating.import_export import receive
    from services.process.address import hourbook_at

    if page:
        if output or log is not None or after:
            raise typer.BadParameter("give --page with --account alone", param_hint="--page")
        from services.auditing.page_export import export_page

        with hourbook_at(url):
            events = export_page(Caller.of(url, key_file), page, account, complaints)
        say(f"{events} events exported to {page}")
        return
    if account:
        raise typer.BadParameter("give it with --page", param_hint="--account")
    with hourbook_at(url):
        exported = asyncio.run(receive(Caller.of(url, key_file), output, log, after, complaints))
    for each, events in exported.items():
        say(f"log {each}: {events} events exported")
