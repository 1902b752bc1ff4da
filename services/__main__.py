"""The program `hourbook`: everything an operator runs by hand. Each command imports only what it needs."""

import asyncio
import errno
import sys
from pathlib import Path
from typing import Annotated

import typer

from services.access.options import DEFAULT_DATA, DEFAULT_URL, KeyFile
from services.auditing.commands import audit, witness
from services.bitrix24.commands import bitrix24
from services.onboarding.commands import onboard
from services.operating.access import access
from services.operating.backup.commands import archive, backup, drill, restore
from services.operating.forecast import forecast
from services.operating.log_commands import export, import_
from services.operating.month_commands import close_month_, payments, send_documents_
from services.operating.part_commands import Host, Port, billing, ledger, listen_on, projections, sender, serve
from services.operating.privacy import privacy
from services.operating.restored import restored
from services.operating.terms import terms
from services.process.operator_error import OperatorError
from services.process.terminal import complaints, console, say

cli = typer.Typer(
    name="hourbook",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Data = Annotated[Path, typer.Option(help="Where everything is kept.")]
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def _say_entrance(address: str) -> None:
    once = "it logs you in as the owner, once and within ten minutes" if "/enter/" in address else "no key is asked for"
    say(f"web pages: {address} ({once})")


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


@cli.command()
def up(
    port: Port = 8000,
    host: Host = None,
    data: Data = DEFAULT_DATA,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Time is a test clock. Never in production.")] = False,
    embedded: Annotated[bool, typer.Option(help="Start PostgreSQL and NATS where the environment names none.")] = True,
) -> None:
    """Run everything behind one address until Ctrl-C."""
    from services.operating.part_process import STARTER
    from services.operating.up import running, watch

    STARTER.fork()
    listen_on(host)
    with running(data, port, sandbox=sandbox, embedded=embedded, say=say) as hourbook:
        print(f"ready {hourbook.url}", flush=True)
        _say_entrance(hourbook.entrance())
        watch(hourbook, say)


@cli.command()
def demo(
    port: Port = 8000,
    data: Data = Path(".hourbook/demo"),
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the tables instead of serving.")] = False,
) -> None:
    """Play eight months of a support desk, show what came of it, and leave it running until Ctrl-C."""
    from services.access.caller import Caller
    from services.operating.demo import play_sample, show, show_door
    from services.operating.part_process import STARTER
    from services.operating.up import running, watch

    STARTER.fork()
    with running(data, port, sandbox=True, say=say) as hourbook:
        print(f"ready {hourbook.url}", flush=True)
        caller = Caller(hourbook.url, hourbook.key_file)
        play_sample(caller, console)
        show(caller, console)
        if hourbook.key_file:
            show_door(hourbook.url, data, console)
        if not leave:
            _say_entrance(hourbook.entrance())
            console.print("\nEverything keeps running. Ctrl-C stops it; the data stay.")
            watch(hourbook, say)


@cli.command()
def migrate(
    data: Annotated[Path, typer.Option(help="The folder of `up`, where DATABASE_URL is not set.")] = DEFAULT_DATA,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 where something is due, 2 where it is newer.")
    ] = False,
    logins: Annotated[
        Path | None, typer.Option(help="Make a login for each part too, and write their URLs into that folder.")
    ] = None,
) -> None:
    """Bring the schemas up to date by the login that owns them; every part waits until that is done."""
    from services.ledger.settings import Settings
    from services.operating.database_logins import keep_logins, owners_url
    from services.operating.migration import bring_up_to_date, described, judged, standings
    from services.process.settings import read

    settings = read(Settings, database_url=owners_url(data))
    found = asyncio.run(standings(settings))
    for each in found:
        for line in described(each):
            print(line)
    if check:
        raise typer.Exit(judged(found))
    asyncio.run(bring_up_to_date(settings))
    if logins:
        asyncio.run(keep_logins(settings.database_url, logins))
    newer = any(each.newer for each in found)
    print("the schemas serve this program" if newer else "the schemas are those of this program")


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


for _room in (access, terms, audit, bitrix24, forecast, privacy):
    cli.add_typer(_room)
for _command in (serve, ledger, projections, billing, sender, export, payments, witness, onboard):
    cli.command()(_command)
for _command in (backup, archive, restore, restored, drill):
    cli.command()(_command)
cli.command("import")(import_)
cli.command("close-month")(close_month_)
cli.command("send-documents")(send_documents_)


def main() -> None:
    """Run the command line. What an operator can put right is a sentence; the rest is a bug, with its traceback."""
    try:
        cli()
    except OperatorError as failure:
        for sentence in failure.sentences:
            say(f"hourbook: {sentence}")
        sys.exit(failure.exit_code)
    except OSError as failure:
        if failure.filename is None and failure.errno not in NO_ROOM:
            raise
        say(f"hourbook: {failure.filename or 'The disk'}: {failure.strerror}.")
        sys.exit(1)


if __name__ == "__main__":
    main()
