"""The command `hourbook onboard`: a seller's history from a workbook, or the workbook to write it into."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from services.access.options import DEFAULT_URL, KeyFile, Url
from services.process.terminal import complaints, say

if TYPE_CHECKING:
    from services.onboarding.rows import Fault

ANSWER_SECONDS_MAX = 300


def onboard(
    book: Annotated[
        Path | None,
        typer.Argument(help="An .xlsx or .ods workbook, a folder of .csv files named as the sheets, or one of them."),
    ] = None,
    template: Annotated[
        Path | None, typer.Option(help="Write a workbook to fill in there, and do nothing else.")
    ] = None,
    lang: Annotated[Literal["ru", "en"], typer.Option(help="The language of template and statements.")] = "ru",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Record nothing: say what is wrong with each row, and what would be done.")
    ] = False,
    statements: Annotated[Path, typer.Option(help="The folder of the statements to sign.")] = Path("statements"),
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
) -> None:
    """Take over a seller's customers, packages, tasks and recipients from a workbook.

    Every row is judged, and tried by the ledger, before anything is recorded: while anything is wrong nothing is, and
    the exit code is 1. Run it again after an interruption: what is recorded is not recorded twice. At the end each
    customer has a statement to sign, of the hours and the money taken over.
    """
    if (book is None) == (template is None):
        raise typer.BadParameter("give a book, or --template with the file to write")
    if template:
        _write_template(template, lang)
    elif book:
        _take_over(book, None if dry_run else statements, lang, url, key_file)


def _write_template(file: Path, lang: Literal["ru", "en"]) -> None:
    from services.onboarding.template import template

    if file.suffix.lower() != ".xlsx":
        raise typer.BadParameter("name a file that ends in .xlsx", param_hint="--template")
    if file.exists():
        raise typer.BadParameter("this file is there already: name another", param_hint="--template")
    file.write_bytes(template(lang))
    print(f"{file} is to be filled in; then: hourbook onboard {file} --dry-run")


def _take_over(book: Path, statements: Path | None, lang: Literal["ru", "en"], url: str, key_file: Path | None) -> None:
    from services.access.caller import Caller
    from services.onboarding.books import sheets_in
    from services.onboarding.conversation import known, name_recipients, recorded, tried, unknown_accounts
    from services.onboarding.judgement import judged
    from services.onboarding.rows import reading_of
    from services.onboarding.statements import write_statements
    from services.process.address import hourbook_at

    reading = reading_of(sheets_in(book))
    for note in reading.notes:
        say(note)
    found = judged(reading)
    _say(found.faults)
    accounts = list(
        dict.fromkeys([*(deed.account_id for deed in found.deeds), *(each.account_id for each in found.named)])
    )
    opening = {deed.account_id for deed in found.deeds if deed.command["command"] == "OpenAccount"}
    with hourbook_at(url), Caller.of(url, key_file).client(ANSWER_SECONDS_MAX) as client:
        with _progress("trying", len(found.deeds)) as done:
            faults = tried(client, found.deeds, done, at_fault=bool(found.faults))
        faults += [] if found.faults else unknown_accounts(client, found.named, opening)
        _say(faults)
        _end_where([*found.faults, *faults])
        said = (
            f"{len(opening)} customers, {len(found.deeds) - len(opening)} packages and tasks, {len(found.named)} lists"
        )
        if statements is None:
            print(f"nothing is wrong: {said} of recipients would be recorded")
            return
        with _progress("recording", len(found.deeds)) as done:
            outcome = recorded(client, found.deeds, done)
        _say(outcome.faults)
        _end_where(outcome.faults)
        for account_id, position in outcome.positions.items():
            known(client, f"/v1/accounts/{account_id}/balance", position)
        with _progress("recipients", len(found.named)) as done:
            name_recipients(client, found.named, done)
        with _progress("statements", len(accounts)) as done:
            write_statements(client, accounts, statements, lang, done)
    print(f"recorded: {said} of recipients; {len(accounts)} statements to sign are in {statements}")


def _say(faults: "Sequence[Fault]") -> None:
    for fault in faults:
        print(fault)


def _end_where(faults: "Sequence[Fault]") -> None:
    """Nothing more is done where anything is wrong."""
    if faults:
        complaints.print(f"{len(faults)} faults: mend them, and run the command again", highlight=False)
        raise typer.Exit(1)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=complaints) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)
