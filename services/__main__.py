"""The program `hourbook`: everything an operator runs by hand. Each command imports only what it needs."""

import asyncio
import errno
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from services.access.options import DEFAULT_DATA, DEFAULT_URL, KeyFile, Month, Url
from services.auditing.commands import audit, witness
from services.bitrix24.commands import bitrix24
from services.onboarding.commands import onboard
from services.operating.access import access
from services.operating.backup.commands import archive, backup, drill, restore
from services.operating.forecast import forecast
from services.operating.privacy import privacy
from services.operating.restored import restored
from services.operating.terms import terms
from services.process.operator_error import OperatorError

cli = typer.Typer(
    name="hourbook",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.add_typer(access)
cli.add_typer(terms)
cli.add_typer(audit)
cli.add_typer(bitrix24)
cli.add_typer(forecast)
cli.add_typer(privacy)
cli.command()(witness)
for _command in (backup, archive, restore, restored, drill, onboard):
    cli.command()(_command)
console = Console()
complaints = Console(stderr=True)

Port = Annotated[int, typer.Option(help="The port.", min=1, max=65535)]
Host = Annotated[str | None, typer.Option(help="The address to listen on, instead of HOURBOOK_HOST or 127.0.0.1.")]
Data = Annotated[Path, typer.Option(help="Where everything is kept.")]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        help="A port of HOURBOOK_METRICS_HOST (127.0.0.1) with /metrics and /health/live, of a part without HTTP.",
        min=1,
        max=65535,
    ),
]
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def _listen_on(host: str | None) -> None:
    """Every part of the program reads the address from the environment."""
    if host:
        os.environ["HOURBOOK_HOST"] = host


def _say(sentence: str) -> None:
    complaints.print(sentence, highlight=False, soft_wrap=True)


def _say_entrance(address: str) -> None:
    once = "it logs you in as the owner, once and within ten minutes" if "/enter/" in address else "no key is asked for"
    _say(f"web pages: {address} ({once})")


def _show_version(wanted: bool) -> None:
    if wanted:
        from services.process.version import VERSION

        print(f"hourbook {VERSION}")
        raise typer.Exit


@cli.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show which program this is.")
    ] = False,
) -> None:
    """An event-sourced ledger of prepaid service hours."""


def _begin(part: str, metrics_port: int | None = None) -> None:
    """What a process of Hourbook does first: it begins its log, and shows its metrics."""
    from services.process.logs import LogSettings, begin_log
    from services.process.metrics import serve_metrics
    from services.process.settings import read
    from services.process.tracing import begin_tracing

    begin_log(part, read(LogSettings))
    begin_tracing(part)
    serve_metrics(metrics_port)


@cli.command()
def up(
    port: Port = 8000,
    host: Host = None,
    data: Data = DEFAULT_DATA,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Time is a test clock. Never in production.")] = False,
    embedded: Annotated[bool, typer.Option(help="Start PostgreSQL and NATS where the environment names none.")] = True,
) -> None:
    """Run everything behind one address until Ctrl-C."""
    from services.operating.up import running, watch

    _listen_on(host)
    with running(data, port, sandbox=sandbox, embedded=embedded, say=_say) as hourbook:
        print(f"ready {hourbook.url}", flush=True)
        _say_entrance(hourbook.entrance())
        watch(hourbook, _say)


@cli.command()
def demo(
    port: Port = 8000,
    data: Data = Path(".hourbook/demo"),
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the tables instead of serving.")] = False,
) -> None:
    """Play eight months of a support desk, show what came of it, and leave it running until Ctrl-C."""
    from services.access.caller import Caller
    from services.operating.demo import play_sample, show, show_door
    from services.operating.up import running, watch

    with running(data, port, sandbox=True, say=_say) as hourbook:
        print(f"ready {hourbook.url}", flush=True)
        caller = Caller(hourbook.url, hourbook.key_file)
        play_sample(caller, console)
        show(caller, console)
        if hourbook.key_file:
            show_door(hourbook.url, data, console)
        if not leave:
            _say_entrance(hourbook.entrance())
            console.print("\nEverything keeps running. Ctrl-C stops it; the data stay.")
            watch(hourbook, _say)


@cli.command()
def serve(
    port: Port = 8000,
    host: Host = None,
    socket: Annotated[
        int | None, typer.Option(hidden=True, help="An open socket, by its number: that of `up`.")
    ] = None,
) -> None:
    """Run commands, queries, billing and the web pages behind one address; the other parts run elsewhere."""
    from socket import socket as inherited

    from services.operating.start_conditions import require_settings
    from services.process.serving import listening, serve
    from services.process.settings import read
    from services.process.site import SiteSettings

    _listen_on(host)
    _begin("service")
    if socket is None:
        require_settings(os.environ)
        taken = listening(port, read(SiteSettings).host)
    else:
        taken = inherited(fileno=socket)
    serve("services.app:create_app", taken)


@cli.command()
def ledger(
    port: Port = 8001,
    host: Host = None,
    only: Annotated[Literal["api", "relay", "expiry"] | None, typer.Option(help="One part alone.")] = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Run the ledger service: commands, log, relay and expiry, or one of these alone."""
    from services.ledger.running import run_expiry, run_relay
    from services.ledger.settings import LOGINS_OF
    from services.operating.start_conditions import ledger_settings
    from services.process.logins import as_part
    from services.process.serving import collect_garbage_seldom, listening, serve
    from services.process.settings import read
    from services.process.site import SiteSettings
    from services.process.stopping import run_until_stopped

    _listen_on(host)
    _begin(only or "ledger", metrics_port)
    database, nats = LOGINS_OF[only]
    settings = ledger_settings(os.environ | as_part(database, nats))
    match only:
        case "relay":
            collect_garbage_seldom()
            run_until_stopped(run_relay(settings))
        case "expiry":
            run_until_stopped(run_expiry(settings))
        case "api":
            serve("services.ledger.app:create_api", listening(port, read(SiteSettings).host))
        case None:
            serve("services.ledger.app:create_app", listening(port, read(SiteSettings).host))


@cli.command()
def projections(
    port: Port = 8002,
    host: Host = None,
    only: Annotated[Literal["api", "worker"] | None, typer.Option(help="One part alone.")] = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Run the projections service: queries and worker, or one of these alone."""
    from services.operating.start_conditions import projections_settings
    from services.process.logins import as_part
    from services.process.serving import collect_garbage_seldom, listening, serve
    from services.process.settings import read
    from services.process.site import SiteSettings
    from services.process.stopping import run_until_stopped
    from services.projections.running import run_worker

    _listen_on(host)
    _begin(only or "projections", metrics_port)
    settings = projections_settings(os.environ | as_part("projections", "worker"))
    match only:
        case "worker":
            collect_garbage_seldom()
            run_until_stopped(run_worker(settings))
        case "api":
            serve("services.projections.app:create_api", listening(port, read(SiteSettings).host))
        case None:
            serve("services.projections.app:create_app", listening(port, read(SiteSettings).host))


@cli.command()
def billing(metrics_port: MetricsPort = None) -> None:
    """Run what billing does by itself: it sees which invoices are paid."""
    from services.billing.background import run_billing
    from services.operating.start_conditions import billing_settings
    from services.process.logins import as_part
    from services.process.stopping import run_until_stopped

    _begin("billing", metrics_port)
    run_until_stopped(run_billing(billing_settings(os.environ | as_part("billing"))))


@cli.command()
def migrate(
    data: Annotated[Path, typer.Option(help="The folder of `up`, where DATABASE_URL is not set.")] = DEFAULT_DATA,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit code 1 where something is due.")] = False,
    logins: Annotated[
        Path | None, typer.Option(help="Make a login for each part too, and write their URLs into that folder.")
    ] = None,
) -> None:
    """Bring the schemas up to date by the login that owns them; the parts need it for nothing."""
    from services.ledger.settings import Settings
    from services.operating.database_logins import keep_logins, owners_url
    from services.operating.migration import bring_up_to_date, outstanding
    from services.process.settings import read

    settings = read(Settings, database_url=owners_url(data))
    due = asyncio.run(outstanding(settings))
    for name in due:
        print(f"{name} is missing")
    if check:
        raise typer.Exit(1 if due else 0)
    asyncio.run(bring_up_to_date(settings))
    if logins:
        asyncio.run(keep_logins(settings.database_url, logins))
    print("the schemas are those of this program")


@cli.command("import")
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


@cli.command()
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
        _say(f"{events} events exported to {page}")
        return
    if account:
        raise typer.BadParameter("give it with --page", param_hint="--account")
    with hourbook_at(url):
        exported = asyncio.run(receive(Caller.of(url, key_file), output, log, after, complaints))
    for each, events in exported.items():
        _say(f"log {each}: {events} events exported")


@cli.command()
def rebuild(
    projection: Annotated[str, typer.Argument(help="Its name; a wrong one is answered with the right ones.")],
    url: Annotated[str, typer.Option(help="Where the ledger answers.", envvar="HOURBOOK_LEDGER_URL")] = DEFAULT_URL,
    data: Annotated[Path, typer.Option(help="The folder of `up`, where DATABASE_URL is not set.")] = DEFAULT_DATA,
    key_file: KeyFile = None,
    accept_differences: Annotated[
        bool, typer.Option("--accept-differences", help="Swap though the totals are not those of the live tables.")
    ] = False,
) -> None:
    """Build a projection anew beside the live one, compare the totals, and swap; commands and queries go on."""
    from services.access.caller import Caller
    from services.operating.database_logins import database_url_of
    from services.operating.rebuild import rebuild_by_hand
    from services.process.address import hourbook_at
    from services.process.serving import collect_garbage_seldom
    from services.process.settings import read
    from services.projections.settings import Settings

    settings = read(Settings, database_url=database_url_of("projections", data), ledger_url=url)
    collect_garbage_seldom()
    with hourbook_at(url):
        caller = Caller.of(url, key_file, data)
        at = asyncio.run(
            rebuild_by_hand(projection, settings, caller, complaints, accept_differences=accept_differences)
        )
    print(f"{projection} is rebuilt up to position {at}")


@cli.command("close-month")
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
        _say(f"{month}: {drift}")
    _say(f"{month}: " + (", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.items())) or "no accounts"))
    if set(tally) - IS_CLOSED:
        raise typer.Exit(1)


@cli.command()
def sender(metrics_port: MetricsPort = None) -> None:
    """Run the sender: it sends what is requested by e-mail. `up` starts one where HOURBOOK_SMTP_URL is set."""
    from services.billing.sending.sender import run_sender
    from services.billing.settings import Settings
    from services.operating.start_conditions import sending_settings
    from services.process.logins import as_part
    from services.process.settings import read
    from services.process.stopping import run_until_stopped

    _begin("sender", metrics_port)
    sending = sending_settings(os.environ)
    run_until_stopped(run_sender(read(Settings, **as_part("billing")), sending))


@cli.command("send-documents")
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
    _say(f"{month}: {outcomes.summary}")
    if not outcomes.whole:
        raise typer.Exit(1)


@cli.command()
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
        _say(f"{read.documents} documents, {read.incoming} payments in, {read.new} of them new")
        undecided = 0
        for line, is_undecided in open_payments(client, accept=accept):
            print(line)
            undecided += is_undecided
    if undecided:
        raise typer.Exit(1)


@cli.command(hidden=True)
def schemas() -> None:
    """Write contracts/schemas anew, after models or routes have changed."""
    from uvicorn.importer import import_from_string

    from services.operating.schemas import write

    write(import_from_string("services.app:create_app")().openapi())


@cli.command()
def bench(
    seconds: Annotated[float, typer.Option(help="How long each side of a row is measured in all.", min=1)] = 5,
    events: Annotated[int, typer.Option(help="The length of the long log.", min=40_000)] = 1_000_000,
    output: Annotated[Path, typer.Option(help="Where the figures go as JSON.")] = Path(".bench/figures.json"),
) -> None:
    """Measure Hourbook against its peers, as ratios in one run."""
    from runpy import run_path

    root = Path(__file__).parents[1]
    sys.path.insert(0, str(root))
    run_path(str(root / "tests" / "benchmarks" / "bench.py"))["measure"](seconds, events, output, console)


def main() -> None:
    """Run the command line. What an operator can put right is a sentence; the rest is a bug, with its traceback."""
    try:
        cli()
    except OperatorError as failure:
        for sentence in failure.sentences:
            _say(f"hourbook: {sentence}")
        sys.exit(failure.exit_code)
    except OSError as failure:
        if failure.filename is None and failure.errno not in NO_ROOM:
            raise
        _say(f"hourbook: {failure.filename or 'The disk'}: {failure.strerror}.")
        sys.exit(1)


if __name__ == "__main__":
    main()
