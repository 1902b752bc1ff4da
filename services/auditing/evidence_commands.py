"""The commands `hourbook audit export` and `replay`: what an auditor is given of a running ledger, over HTTP alone."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from services.access.options import DEFAULT_URL, KeyFile, Url
from services.process.operator_error import OperatorError
from services.process.terminal import complaints, say

Parsed = TypeVar("Parsed")


INSTANT = "An RFC 3339 timestamp with an offset, such as 2026-03-10T00:00:00+03:00."


def parsed_instant(text: str | datetime) -> datetime:
    from contracts.quantities import parse_instant

    return _parsed(text, parse_instant)


def _known_at(text: str | int | datetime) -> int | datetime:
    from contracts.quantities import parse_known_at

    return _parsed(text, parse_known_at)


def _parsed(text: Any, parse: Callable[[Any], Parsed]) -> Parsed:
    """Typer hands on what it has parsed already, too."""
    try:
        return parse(text) if isinstance(text, str) else text
    except ValueError as reason:
        raise typer.BadParameter(str(reason)) from reason


def export(
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
    output: Annotated[Path, typer.Option(help="A new folder, or a new file ending in .tar.gz.")] = Path(
        "hourbook-audit.tar.gz"
    ),
    account: Annotated[str | None, typer.Option(help="Only this account's events.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--from", parser=parsed_instant, help=f"Only what was recorded from then on. {INSTANT}"),
    ] = None,
    before: Annotated[
        datetime | None,
        typer.Option("--to", parser=parsed_instant, help=f"Only what was recorded before then. {INSTANT}"),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, help="A checkpoint the auditor holds, to be compared with a partial export; several."
        ),
    ] = None,
    without_personal_data: Annotated[
        bool, typer.Option("--without-personal-data", help="No names: only the commitments to them in the events.")
    ] = False,
) -> None:
    """Write what a signed checkpoint covers, with all that is needed to check it offline."""
    from services.access.caller import Caller
    from services.auditing.export import Wanted, export, size_of
    from services.process.address import hourbook_at

    if account and (since or before):
        raise typer.BadParameter("give --account, or --from and --to, not both")
    cuts = tuple(size_of(file.read_text(encoding="utf-8")) for file in checkpoint or ())
    with hourbook_at(url):
        wanted = Wanted(account, since, before, cuts, personal=not without_personal_data)
        events = export(Caller.of(url, key_file), output, wanted, complaints)
    say(f"{events} events exported to {output}")


def replay(
    account: Annotated[str, typer.Argument(help="Whose balance.")],
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
    as_of: Annotated[
        datetime | None, typer.Option(parser=parsed_instant, help=f"The balance of that instant. {INSTANT}")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(parser=_known_at, help="By what was recorded then: a position, or an instant.")
    ] = None,
    form: Annotated[
        Literal["table", "ndjson", "csv", "pdf"], typer.Option("--format", help="In which form.")
    ] = "table",
    lang: Annotated[Literal["ru", "en"], typer.Option(help="In which language.")] = "ru",
    output: Annotated[Path | None, typer.Option(help="The file to write; standard output without it.")] = None,
) -> None:
    """Write the story of a balance from the log alone: a line an event, the balance after it, every price."""
    import httpx

    from contracts.envelope import RecordedEvent
    from services.access.caller import Caller
    from services.auditing.story.forms import Story, written
    from services.auditing.story.steps import steps
    from services.process.address import hourbook_at

    with hourbook_at(url), Caller.of(url, key_file).client() as client:
        answer = client.get(f"/v1/accounts/{account}/events")
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise OperatorError(f"There is no account {account}.")
    with hourbook_at(url):
        lines = answer.raise_for_status().content.splitlines()
    recorded = map(RecordedEvent.model_validate_json, lines)
    story = Story(account, tuple(steps(account, recorded, as_of, known_at)), as_of, known_at)
    text = written(story, form, lang)
    if output:
        output.write_bytes(text)
    else:
        sys.stdout.buffer.write(text)


def receipt(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Receipts, as they were given out.")],
    key: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="Keys that you hold: keys.json, or base64; several."),
    ] = None,
) -> None:
    """Judge receipts alone, asking nobody: leaf, path, root, signature and keys. Exit code 1 if one does not hold."""
    from services.auditing.handed_out.verify import main

    held = [part for file in key or () for part in ("--key", str(file))]
    raise typer.Exit(main([*held, *(part for file in files for part in ("--receipt", str(file)))]))
