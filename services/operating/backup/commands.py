"""The commands `hourbook backup`, `archive`, `restore` and `drill`."""

import asyncio
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.access.options import DEFAULT_DATA
from services.operating.part_commands import MetricsPort
from services.process.operator_error import OperatorError
from services.process.terminal import say

if TYPE_CHECKING:
    from services.operating.backup.drilling import Drill
    from services.operating.backup.outcomes import DrillOutcome
    from services.operating.backup.restoring import Restored, Wanted

DEFAULT_BACKUPS = Path(".hourbook-backups")
END = "end"

Data = Annotated[Path, typer.Option(help="The folder of `up`.")]
BackupFolder = Annotated[
    Path, typer.Option("--backups", help="The folder of backups, on another disk.", envvar="HOURBOOK_BACKUPS")
]
Every = Annotated[
    float | None, typer.Option(min=0.01, help="Again and again, so many hours apart, until it is stopped.")
]
Checkpoints = Annotated[
    list[Path] | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="A checkpoint, witness's file or signer's memory, kept elsewhere; several.",
    ),
]


def backup(
    data: Data = DEFAULT_DATA,
    backups: BackupFolder = DEFAULT_BACKUPS,
    full: Annotated[bool, typer.Option("--full", help="Rest on no earlier backup.")] = False,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Delete full backups but so many, and what rests on them alone.")
    ] = None,
    every: Every = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Back up the database and what lies beside it, while Hourbook runs; incremental upon the last one where it can be.

    What is in a backup is as secret as the data folder. Prints its name.
    """
    from services.operating.backup.backup_folder import Backups
    from services.operating.backup.making import Ledger, back_up
    from services.operating.backup.outcomes import last_backup_at
    from services.operating.backup.retention import delete_unneeded
    from services.operating.backup.schedule import do_until_stopped
    from services.operating.database_logins import owners_url

    folder = Backups(backups.absolute())

    async def once() -> None:
        made = await back_up(Ledger(data.absolute(), owners_url(data)), folder, full=full, say=say)
        print(made.manifest.name, flush=True)
        for name in delete_unneeded(folder, keep, say) if keep else ():
            say(f"backup {name} is deleted")

    if every is None:
        asyncio.run(once())
    else:
        do_until_stopped("backup", once, lambda: last_backup_at(folder.path), every, metrics_port, folder.path)


def archive(data: Data = DEFAULT_DATA, backups: BackupFolder = DEFAULT_BACKUPS) -> None:
    """Archive the write-ahead log as it is written, so that restores reach the last second. `up` runs it.

    It runs by itself where HOURBOOK_BACKUPS is set.
    """
    from services.operating.backup.archiving import become_receiver, stretch_to_go_on
    from services.operating.backup.backup_folder import Backups
    from services.operating.database_logins import owners_url

    url = owners_url(data)
    stretch = asyncio.run(stretch_to_go_on(url, Backups(backups.absolute())))
    become_receiver(url, stretch)


def restore(
    to: Annotated[str, typer.Option("--to", help="`end`, a position of the log, or a time with an offset.")] = END,
    into: Annotated[Path, typer.Option(help="The data folder to make; empty, or not there.")] = DEFAULT_DATA,
    backups: BackupFolder = DEFAULT_BACKUPS,
    log: Annotated[int, typer.Option(help="The log that the position is of.", min=0)] = 0,
    erasures: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="A journal audit/erasures.ndjson of a lost folder; several."),
    ] = None,
    checkpoint: Checkpoints = None,
) -> None:
    """Make a data folder from backups: of the end of what they hold, of a time, or of a position of the log.

    What was erased since is erased again. Says what is lost, as far as backups and checkpoints know of it.
    """
    from services.operating.backup.backup_folder import Backups
    from services.operating.backup.kept_checkpoints import kept_in, missing_events, of_other_ledgers
    from services.operating.backup.restoring import restore

    wanted = wanted_of(to, log)
    kept = [each for file in checkpoint or () for each in kept_in(file)]
    done = asyncio.run(restore(Backups(backups.absolute()), into.absolute(), wanted, erasures or (), kept, say))
    _say_restored(done, wanted)
    for sentence in [
        *of_other_ledgers(kept, done.ledger_id, done.logs),
        *missing_events(kept, done.ledger_id, done.heads, done.logs),
    ]:
        say(sentence)
    print(f"restored into {into}; {_what_is_next(into)}")


def drill(
    data: Data = DEFAULT_DATA,
    backups: BackupFolder = DEFAULT_BACKUPS,
    checkpoint: Checkpoints = None,
    receipt: Annotated[
        list[Path] | None, typer.Option(exists=True, help="A receipt that was given out, or a folder of them; several.")
    ] = None,
    scratch: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Where there is room for a second database.")
    ] = None,
    every: Every = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Restore the newest backup into a server of its own, audit it whole, and hold it to what is kept elsewhere.

    Compares the checkpoints that are given, what the signer of the data folder remembers, HOURBOOK_WITNESS_FILE, and
    receipts. Says how much would be lost (RPO) and how long it takes (RTO). Exit code 1 where anything is wrong.
    """
    from services.operating.backup.outcomes import last_drill_at
    from services.operating.backup.schedule import do_until_stopped

    folder = backups.absolute()

    async def once() -> "DrillOutcome":
        outcome = await _drill(data, folder, checkpoint or (), receipt or ()).run(scratch)
        _note(folder, outcome)
        return outcome

    if every is not None:
        do_until_stopped("drill", once, lambda: last_drill_at(folder), every, metrics_port, folder)
    elif not asyncio.run(once()).good:
        raise typer.Exit(1)


def _drill(data: Path, folder: Path, checkpoints: Iterable[Path], receipts: Iterable[Path]) -> "Drill":
    """With all that is known elsewhere."""
    from services.ledger.audit.key_files import OF_CHECKPOINTS, file_in
    from services.operating.backup.backup_folder import Backups
    from services.operating.backup.drilling import Drill
    from services.operating.backup.kept_checkpoints import kept_in, signers_memory
    from services.operating.backup.receipts import sampled
    from services.operating.database_logins import owners_url

    try:
        live = owners_url(data)
    except OperatorError:
        live = None
        say("the database that is at work cannot be asked: what it has beyond the backups is not known")
    witness = os.environ.get("HOURBOOK_WITNESS_FILE")
    files = [*checkpoints, *([Path(witness)] if witness and Path(witness).exists() else [])]
    kept = [each for file in files for each in kept_in(file)]
    return Drill(Backups(folder), live, kept, signers_memory(file_in(data, *OF_CHECKPOINTS)), sampled(receipts), say)


def _note(folder: Path, outcome: "DrillOutcome") -> None:
    from services.operating.backup.outcomes import note_drill

    note_drill(folder, outcome)
    for fault in outcome.faults:
        say(f"FAULT {fault}")
    if outcome.good:
        print(
            f"backup {outcome.backup} is good: {outcome.events} events, RPO {outcome.rpo_seconds:.1f} s, "
            f"RTO {outcome.rto_seconds:.1f} s, audited in {outcome.audit_seconds:.1f} s",
            flush=True,
        )


def wanted_of(to: str, log: int) -> "Wanted":
    """What the option says; BadParameter for anything else."""
    from contracts.quantities import parse_known_at
    from services.operating.backup.restoring import Wanted

    if to == END:
        return Wanted()
    try:
        known = parse_known_at(to)
    except ValueError as reason:
        raise typer.BadParameter(f"{reason}; or give `end`", param_hint="--to") from reason
    return Wanted(time=known) if isinstance(known, datetime) else Wanted(position=known, log=log)


def _what_is_next(folder: Path) -> str:
    """For a folder of `up`, or for a server of the operator's own, whose password lies elsewhere."""
    from services.operating.backup.backup_folder import DATABASE, SETTINGS
    from services.operating.backup.beside import PASSWORD

    if (folder / PASSWORD).exists():
        return f"run `hourbook restored --data {folder}` before `hourbook up --data {folder}`"
    files = f"the files in {folder / SETTINGS} where settings name them" if (folder / SETTINGS).exists() else ""
    beside = f", {files or 'what lies beside it where the data folder was'}"
    return (
        f"put {folder / DATABASE / 'data'} in the place of the data folder of your PostgreSQL{beside}, start it, and "
        "run `hourbook restored` before the parts (docs/backups.md)"
    )


def _say_restored(done: "Restored", wanted: "Wanted") -> None:
    from contracts.placement import every_log, log_name

    for log_id in every_log(done.logs):
        head, there_was, name = done.heads.get(log_id), done.there_were.get(log_id), log_name(log_id)
        at = head.position if head else 0
        if head:
            say(f"log {name} ends at position {at}, recorded at {head.recorded_at.isoformat()}")
        if there_was and there_was.position > at:
            say(f"log {name}: positions {at + 1} to {there_was.position}, which the backups have too, are left out")
    if not done.reached:
        say("the backups have nothing that was committed after that time: everything in them is restored")
    if wanted.position is not None and done.heads[wanted.log].position != wanted.position:
        say(f"position {wanted.position} was recorded together with those up to {done.heads[wanted.log].position}")
    if done.erased_again:
        say(f"{done.erased_again} names and addresses that were erased later are erased again")
    say(f"from backup {done.backup.manifest.name}, in {done.seconds:.1f} s")
