"""The command `hourbook restored`: the database was restored to an earlier state, and the ledger goes on from there."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.access.options import DEFAULT_DATA
from services.process.operator_error import OperatorError

if TYPE_CHECKING:
    from services.ledger.settings import Settings
    from services.operating.new_epoch import Survey


def restored(
    data: Annotated[Path, typer.Option(help="Where Hourbook keeps everything.")] = DEFAULT_DATA,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing where something that is lost was signed.")] = False,
    dismiss: Annotated[
        bool, typer.Option("--dismiss", help="Nothing was restored: forget what was noticed, unless it was signed.")
    ] = False,
) -> None:
    """Say what a restore of the database has cost, and begin a new epoch: until then nothing is recorded.

    The record of it is signed, with the last checkpoint of the epoch before, and stands in the log of access. Streams,
    projections and checkpoints follow by themselves, and the parts may run meanwhile.
    """
    with database_of(data) as database_url:
        asyncio.run(_restored(settings_of(data, database_url), yes=yes, dismiss=dismiss))


@contextmanager
def database_of(data: Path) -> Iterator[str]:
    """The database by who records and signs; where it is a data folder's own and does not run, it does meanwhile."""
    from infra.embedded import EmbeddedPostgres
    from services.operating.database_logins import database_url_of

    try:
        running = database_url_of("expiry", data)
    except OperatorError:
        if not (data / "postgres" / "data").exists():
            raise
        running = ""
    if running:
        yield running
        return
    with EmbeddedPostgres(data / "postgres") as server:
        yield server.url


def settings_of(data: Path, database_url: str) -> "Settings":
    """With the keys of the data folder where the environment names none."""
    from services.ledger.audit.key_files import OF_CHECKPOINTS, OF_SEALS, file_in
    from services.ledger.settings import Settings
    from services.process.settings import read

    kept = {"audit_key_file": str(file_in(data, *OF_CHECKPOINTS))}
    if (seal := file_in(data, *OF_SEALS)).exists():
        kept["seal_key_file"] = str(seal)
    return read(Settings, database_url=database_url, **kept)


async def _restored(settings: "Settings", *, yes: bool, dismiss: bool) -> None:
    from nats.errors import Error as NatsError
    from nats.js.errors import Error as JetStreamError

    from services.ledger.audit.key_files import CannotSign
    from services.ledger.event_store.database import LedgerUnavailable
    from services.operating.new_epoch import restored_ledger

    try:
        async with restored_ledger(settings) as ledger:
            if finished := await ledger.finish():
                for sentence in finished.sentences():
                    print(sentence)
                print(f"epoch {finished.epoch}, which was recorded already, has begun")
                return
            survey = await ledger.survey()
            if not survey.noticed:
                print("no log has gone back, as far as anything outside of the database knows: no epoch has begun")
                return
            for sentence in survey.sentences():
                print(sentence)
            if dismiss:
                await ledger.dismiss(survey)
                print("what was noticed is dismissed: commands are recorded again, in the same epoch")
                return
            _require_consent(survey, yes=yes)
            restore = await ledger.begin(survey)
            print(f"epoch {restore.epoch} has begun, and is recorded in the log of access")
    except (CannotSign, LedgerUnavailable, NatsError, JetStreamError, OSError) as hindrance:
        raise OperatorError(f"{hindrance or type(hindrance).__name__}".removesuffix(".") + ".") from hindrance


def _require_consent(survey: "Survey", *, yes: bool) -> None:
    """Exit without it. What nothing signed bears out is begun by a person alone, for somebody may have made it up."""
    if not survey.is_proved:
        sentence = "Nothing that was signed shows that: streams on NATS, or notices in the database, say so."
        print(f"{sentence} Where no database was restored or failed over: hourbook restored --dismiss")
        if yes:
            raise OperatorError(f"{sentence} Answer the question yourself, without --yes, or use --dismiss.")
    if not yes and not typer.confirm(f"Begin epoch {survey.before + 1} without what is lost?"):
        raise typer.Exit(1)
