"""What finance runs by hand: a month is closed and its documents are sent, and payments come in."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from services.access.options import DEFAULT_URL, KeyFile, Month, Url
from services.process.terminal import complaints, say


def close_month_(
    month: Month,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
    account: Annotated[list[str] | None, typer.Option(help="This account alone; may be repeated.")] = None,
    answers: Annotated[Path | None, typer.Option(help="Write every answer there, NDJSON.")] = None,
) -> None:
    """Close a month for all accounts, a line for each; exit code 1 unless it is closed for every one of them then.

    Run it again after an interruption: what is closed is left alone.
    """
    from services.access.caller import Caller
    from services.operating.close_month import IS_CLOSED, close_month, drift_of
    from services.process.address import hourbook_at

    async def closed(caller: Caller) -> Counter[str]:
        tally = Counter[str]()
        async for closing in close_month(month, caller, account or (), answers, complaints):
            tally[closing.outcome] += 1
            print("\t".join(filter(None, closing)))
        return tally

    with hourbook_at(url):
        tally = asyncio.run(closed(Caller.of(url, key_file)))
        drift = asyncio.run(drift_of(month, Caller.of(url, key_file)))
    if drift:
        say(f"{month}: {drift}")
    say(f"{month}: " + (", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.items())) or "no accounts"))
    if set(tally) - IS_CLOSED:
        raise typer.Exit(1)


def send_documents_(
    month: Month,
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
    account: Annotated[list[str] | None, typer.Option(help="This account alone; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing; say who would be sent what.")] = False,
) -> None:
    """Send a closed month's documents, a line for each message; exit code 1 unless all of them are sent.

    Run it again after an interruption: nobody is sent a document twice. What was refused or given up is tried again.
    """
    from services.access.caller import Caller
    from services.operating.send_documents import planned, sent
    from services.process.address import hourbook_at

    with hourbook_at(url):
        work = planned if dry_run else sent
        outcomes = asyncio.run(work(month, Caller.of(url, key_file), account or (), complaints))
    for line in outcomes.lines:
        print("\t".join(line))
    say(f"{month}: {outcomes.summary}")
    if not outcomes.whole:
        raise typer.Exit(1)


def payments(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A statement, 1CClientBankExchange 1.03.")],
    url: Url = DEFAULT_URL,
    key_file: KeyFile = None,
    accept: Annotated[bool, typer.Option("--accept", help="Record every payment that is proposed.")] = False,
) -> None:
    """Read a bank's statement, and print each open payment with what it is for.

    Exit code 1 while any payment is for somebody to decide. The same statement again brings only what is new.
    """
    from services.access.caller import Caller
    from services.operating.payments import open_payments, send_statement
    from services.process.address import hourbook_at

    with hourbook_at(url), Caller.of(url, key_file).client() as client:
        read = send_statement(client, file)
        say(f"{read.documents} documents, {read.incoming} payments in, {read.new} of them new")
        undecided = 0
        for line, is_undecided in open_payments(client, accept=accept):
            print(line)
            undecided += is_undecided
    if undecided:
        raise typer.Exit(1)
