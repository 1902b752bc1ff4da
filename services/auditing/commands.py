"""The commands `hourbook audit …`."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.auditing.evidence_commands import export, receipt, replay
from services.process.operator_error import OperatorError
from services.process.terminal import complaints, say

if TYPE_CHECKING:
    from services.ledger.event_store.database import Database

audit = typer.Typer(name="audit", help="What auditors ask of the log.", no_args_is_help=True)
audit.command()(export)
audit.command()(replay)
audit.command()(receipt)

NICE = 10
"""Whatever serves people goes first."""

Data = Annotated[Path, typer.Option(help="Where Hourbook keeps everything.")]
Full = Annotated[bool, typer.Option("--full", help="From the first event on, not from the last verification.")]
TrustKeys = Annotated[
    bool,
    typer.Option(
        "--trust-keys", help="Take the published keys for the operator's, after one was lost, also by a restore."
    ),
]
Projections = Annotated[bool, typer.Option("--projections/--no-projections", help="Compare balances too.")]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        help="With --every: a port of HOURBOOK_METRICS_HOST (127.0.0.1) with /metrics and /health/live.",
        min=1,
        max=65535,
    ),
]
Every = Annotated[float | None, typer.Option(help="Again and again, so many seconds apart.", min=1)]


@audit.command()
def verify(
    data: Data = Path(".hourbook"),
    full: Full = False,
    trust_keys: TrustKeys = False,
    projections: Projections = True,
    every: Every = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Verify the log in the database against what was signed, and the projections against the log.

    With --full every row and column of the read models is compared with what the log makes of it. This process stands
    behind others for the processor, and takes no more memory for a longer log. What was verified is remembered under
    --data, in audit/verified.json: outside the database. Exit code 1 when anything is wrong.
    """
    from services.auditing.auditor import Audit
    from services.ledger.settings import Settings
    from services.operating.database_logins import database_url_of
    from services.process.logs import LogSettings, begin_log
    from services.process.metrics import serve_metrics
    from services.process.settings import read
    from services.process.stopping import run_until_stopped

    os.nice(NICE)
    settings = read(Settings, database_url=database_url_of("auditor", data))
    job = Audit(settings.database_url, settings.logs, data / "audit" / "verified.json", projections)
    if every is not None:
        begin_log("auditor", read(LogSettings))
        serve_metrics(metrics_port)
        run_until_stopped(job.keep_running(every))
        return
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=complaints) as progress:
        task = progress.add_task("events gone over", total=None)

        def count(events: int) -> None:
            progress.advance(task, events)

        with _sentences():
            found = asyncio.run(job.run(full=full, trust_keys=trust_keys, progress=count))
    for log_id, findings in found.items():
        for fault in findings.faults:
            say(f"FAULT log {log_id}: {fault}")
        for notice in findings.notices:
            say(f"note on log {log_id}: {notice}")
        verdict = f"{len(findings.faults)} faults" if findings.faults else "nothing is wrong"
        print(f"log {log_id}: {findings.events} events gone over, {verdict}; good up to {findings.size}")
    if any(findings.faults for findings in found.values()):
        raise typer.Exit(1)


@audit.command("rotate-key")
def rotate_key(
    data: Data = Path(".hourbook"),
    lost: Annotated[bool, typer.Option("--lost", help="The old key is gone, and cannot sign the new one.")] = False,
) -> None:
    """Make a new key for checkpoints; the old one signs it, both are published."""
    from services.ledger.audit.key_files import OF_CHECKPOINTS, file_in
    from services.ledger.audit.keys import rotate

    file = file_in(data, *OF_CHECKPOINTS)
    number = _rotated(data, lambda database: rotate(database, file, lost=lost))
    print(f"key {number} signs from now on; it is in {file}")


@audit.command("rotate-seal-key")
def rotate_seal_key(data: Data = Path(".hourbook")) -> None:
    """Make a new key of seals; the old one is not needed, and seals nothing any more. The key of checkpoints signs it.

    Processes that share the file go on by themselves; bring it to those on other machines.
    """
    from services.ledger.audit.key_files import OF_CHECKPOINTS, OF_SEALS, file_in
    from services.ledger.audit.seal_keys import rotate
    from services.ledger.settings import Settings
    from services.operating.database_logins import database_url_of
    from services.process.settings import read

    logs = read(Settings, database_url=database_url_of("expiry", data)).logs
    file, signer = file_in(data, *OF_SEALS), file_in(data, *OF_CHECKPOINTS)
    number = _rotated(data, lambda database: rotate(database, logs, file, signer))
    print(f"key of seals {number} seals from now on; it is in {file}")


def _rotated(data: Path, rotate: Callable[["Database"], Awaitable[int]]) -> int:
    """The number of the new key; OperatorError where none could be made."""
    from services.ledger.event_store.database import Database
    from services.ledger.event_store.roles import SIGNER
    from services.operating.database_logins import database_url_of

    async def rotated() -> int:
        async with Database.connected(database_url_of("expiry", data), 1, role=SIGNER) as database:
            return await rotate(database)

    with _sentences():
        return asyncio.run(rotated())


@contextmanager
def _sentences() -> Iterator[None]:
    """What an operator can put right is said in a sentence: a database that is unavailable, a key that is not there."""
    from services.ledger.audit.key_files import CannotSign
    from services.ledger.event_store.database import LedgerUnavailable
    from services.process.postgres_pool import POSTGRES_UNAVAILABLE

    try:
        yield
    except CannotSign as refused:
        raise OperatorError(str(refused)) from refused
    except (LedgerUnavailable, *POSTGRES_UNAVAILABLE) as unavailable:
        why = unavailable if isinstance(unavailable, LedgerUnavailable) else type(unavailable).__name__
        raise OperatorError(f"The database is unavailable ({why}): try again, or see DATABASE_URL.") from unavailable


def witness(
    keys: Annotated[
        list[Path],
        typer.Option(exists=True, help="The keys of a ledger (GET /v1/audit/keys) to witness; several."),
    ],
    name: Annotated[str, typer.Option(help="By which you are known, such as witness.example.org/hours.")],
    folder: Annotated[Path, typer.Option(help="Where your key is, and what you have cosigned.")] = Path("witness"),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", min=1, max=65535)] = 8010,
) -> None:
    """Cosign the checkpoints of somebody else's ledger (C2SP tlog-witness), as long as each follows the one before.

    Prints the key that the ledger's operator has to name in HOURBOOK_COSIGNERS_FILE, behind your address.
    """
    import uvicorn

    from services.auditing.witness import Witness, application

    if "+" in name or any(character.isspace() for character in name):
        raise typer.BadParameter("give a name without spaces and without +", param_hint="--name")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = Witness.in_folder(folder, name, keys)
    print(f"witness http://{host}:{port} {made.verifier_key}", flush=True)
    uvicorn.run(application(made), host=host, port=port, access_log=False, log_level="warning")
