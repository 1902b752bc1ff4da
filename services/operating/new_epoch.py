"""What a restore of the database has cost, by what is known outside of it, and the epoch that goes on from there."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from contracts.access_events import LedgerRestored
from contracts.placement import every_log, log_name
from services.access.principals import SYSTEM
from services.access.state import AccessState
from services.ledger.access.log import AccessLog
from services.ledger.audit.keys import signing_key
from services.ledger.audit.merkle import EMPTY_ROOT
from services.ledger.audit.restore_notes import Loss, Restore
from services.ledger.audit.signed_epochs import SignedEpochs, all_keys, signed_restores
from services.ledger.audit.signer_memory import Remembered, SignerMemory
from services.ledger.audit.tree import StoredTree
from services.ledger.clock import Clock, SandboxClock, SystemClock
from services.ledger.event_store import epochs
from services.ledger.event_store.database import Database
from services.ledger.event_store.roles import SIGNER
from services.ledger.event_store.store import EventStore
from services.ledger.publishing.jetstream import stream_name
from services.ledger.sealing import opened_sealer
from services.ledger.settings import Settings
from services.process.nats_connection import connected
from services.process.operator_error import OperatorError
from services.process.streams import epoch_of, owner_of
from services.process.streams import kept as as_keeper

NOTICED_WITHIN_SECONDS = 1.5
"""Relays look each second."""

_HAS_BILLING = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'billing')"
_RECORDED_BY = """
    SELECT position FROM ledger.event WHERE log_id = $1 AND recorded_at <= $2 ORDER BY position DESC LIMIT 1
"""
_RECORDED_AT = "SELECT recorded_at FROM ledger.event WHERE log_id = $1 AND position = $2"


@dataclass(frozen=True)
class Kept:
    """Where a log ends now, and what is known of it: the last event's time, and the checkpoint that was signed last.

    `stream`: of which epoch its stream is, and how far that goes; None where NATS does not say.
    """

    loss: Loss
    recorded_at: datetime | None
    signed: Remembered | None
    stream: tuple[int, int] | None = None

    @property
    def is_proved(self) -> bool:
        """Whether the signer has signed what the log does not have."""
        return self.signed is not None and self.signed.size > self.loss.kept

    def sentence(self, name: str) -> str:
        """For the operator who is asked whether a new epoch is to begin."""
        end = f"ends at position {self.loss.kept}"
        end += f", recorded at {self.recorded_at.isoformat()}" if self.recorded_at else ""
        if not self.loss.lost:
            return f"log {name} {end}: nothing that is known of it is missing"
        first, last = self.loss.kept + 1, self.loss.kept + self.loss.lost
        signed = self.signed
        seen = f"; of epoch {signed.epoch}, {signed.size} events were signed at {signed.signed_at}" if signed else ""
        proved = max(self.loss.kept, signed.size if signed else 0)
        seen += f"; of positions after {proved} nothing is signed" if last > proved else ""
        return f"log {name} {end}: positions {first} to {last}, {self.loss.lost} events, are lost{seen}"


@dataclass(frozen=True)
class Survey:
    """The epoch that has ended, by all that is known of it, and what each log has kept."""

    before: int
    logs: dict[int, Kept]
    noticed: bool
    """Whether somebody holds something later than the database, of whatever log."""
    is_proved: bool
    """Whether something that was signed is among that. Streams and notices say what those want who may write there."""

    billing: bool = False
    """Whether the database has billing's tables, which have gone back too."""

    def sentences(self) -> Iterator[str]:
        """A line for each log, and one for what customers may have that no table knows of any more."""
        for log_id, kept in self.logs.items():
            yield kept.sentence(log_name(log_id))
        if self.billing:
            yield (
                "billing has gone back as well: numbers of invoices that were issued since would be given again, and "
                "documents that were sent since sent again; see docs/operating.md before a sender runs"
            )


class Restored:
    """A ledger whose database was restored: what that has cost, and the beginning of the next epoch."""

    def __init__(self, settings: Settings, key_file: Path, store: EventStore, signers: Database) -> None:
        self._settings = settings
        self._key_file = key_file
        self._store = store
        self._signers = signers

    async def survey(self) -> Survey:
        """By the signer's memory, by what the parts have noticed, and by the streams where NATS answers.

        What an earlier record has declared lost is not lost again, though signer and relay have not seen it yet.
        """
        now, noticed = await epochs.epoch_of(self._signers), await epochs.lost_positions(self._signers)
        streams = {log_id: known for log_id, known in (await self._streams()).items() if known[0] >= now}
        ledger_id, restores = await self._store.ledger_id(), await self._restores()
        logs: dict[int, Kept] = {}
        epochs_known, epochs_signed = [now, *(epoch for epoch, _ in streams.values())], [now]
        for log_id in every_log(self._settings.logs):
            signed = await asyncio.to_thread(SignerMemory(self._key_file, log_id).read)
            declared = SignedEpochs(ledger_id, log_id, restores)
            if signed and declared.gave_up(signed.origin, signed.size, signed.root):
                signed = None
            kept = await self._kept(log_id, signed)
            known = max(noticed.get(log_id, 0), streams.get(log_id, (1, 0))[1], kept)
            size, root = (signed.size, signed.root) if signed else (0, EMPTY_ROOT)
            recorded_at = await self._store.readers.value(_RECORDED_AT, log_id, kept)
            logs[log_id] = Kept(Loss(kept, known, size, root), recorded_at, signed, streams.get(log_id))
            epochs_signed.append(signed.epoch if signed else 1)
        before = max(epochs_known + epochs_signed)
        is_noticed = bool(noticed) or before > now or any(each.loss.lost for each in logs.values())
        is_proved = max(epochs_signed) > now or any(each.is_proved for each in logs.values())
        return Survey(before, logs, is_noticed, is_proved, await self._signers.value(_HAS_BILLING))

    async def _kept(self, log_id: int, signed: Remembered | None) -> int:
        """Up to which position the log is what it was.

        Where it lacks what was signed, that is as far as it was recorded by then: what comes later was recorded since,
        by a process that knew nothing of what is lost, in its place.
        """
        head, tree = await self._store.head(log_id), StoredTree(self._signers, log_id)
        if signed is None or self._settings.sandbox:
            return head  # a test clock may stand anywhere
        with suppress(LookupError):  # a gap, of which the audit speaks
            if head >= signed.size and (await tree.frontier(signed.size)).root() == signed.root:
                return head
        latest = await tree.latest()
        recorded = await self._signers.value(_RECORDED_BY, log_id, signed.signed_at)
        return max(recorded or 0, latest.size if latest else 0)

    async def begin(self, survey: Survey) -> Restore:
        """Record, sign and begin the next epoch; all parts go on by themselves then.

        OperatorError where another process has recorded one meanwhile.
        """

        def require_none_since(state: AccessState, _: datetime) -> None:
            if state.epoch >= restore.epoch:
                raise OperatorError(f"Epoch {state.epoch} has been recorded meanwhile: run `hourbook restored` again.")

        ledger_id = await self._store.ledger_id()
        losses = {log_name(log_id): kept.loss for log_id, kept in survey.logs.items()}
        restore = Restore(survey.before + 1, survey.before, datetime.now(UTC), losses)
        key = await signing_key(self._signers, self._key_file)
        record = LedgerRestored(epoch=restore.epoch, note=restore.written(ledger_id, key.private))
        clock: Clock = SandboxClock(self._store.readers) if self._settings.sandbox else SystemClock()
        log = AccessLog(self._store, clock)
        await log.record_where(require_none_since, epochs.LEDGER_SUBJECT, [record], SYSTEM["operator"].id)
        await epochs.begin(self._signers, restore.epoch)
        return restore

    async def dismiss(self, survey: Survey) -> None:
        """Forget notices that nothing signed bears out, and delete streams that say the same: they are filled again.

        OperatorError where something signed bears them out, and where somebody notices it again.
        """
        if survey.is_proved:
            raise OperatorError("The signer has signed what the log does not have: that is no false notice.")
        await self._delete_streams_beyond(survey)
        for _ in range(2):  # a part that had looked before may come a moment later
            await epochs.forget_notices(self._signers)
            await asyncio.sleep(NOTICED_WITHIN_SECONDS)
            if not await epochs.lost_positions(self._signers):
                return
        raise OperatorError(
            "It was noticed again at once: a part that runs knows more of the log than the database has."
        )

    async def _delete_streams_beyond(self, survey: Survey) -> None:
        now = await epochs.epoch_of(self._signers)
        others = [
            stream_name(log_id)
            for log_id, log in survey.logs.items()
            if log.stream and (log.stream[0] > now or log.stream[1] > log.loss.kept)
        ]
        if others and self._settings.nats_url:
            async with connected(self._settings.nats_url) as client, as_keeper(client.jetstream()) as keeper:
                for name in others:
                    await keeper.delete_stream(name)

    async def finish(self) -> Restore | None:
        """What was recorded and has begun no epoch yet, because this was cut short; it begins now."""
        restores = await self._restores()
        if restores and restores[-1].epoch > await epochs.epoch_of(self._signers):
            await epochs.begin(self._signers, restores[-1].epoch)
            return restores[-1]
        return None

    async def _restores(self) -> list[Restore]:
        keys = await all_keys(self._signers)
        return await signed_restores(self._signers, await self._store.ledger_id(), keys)

    async def _streams(self) -> dict[int, tuple[int, int]]:
        """Of which epoch each stream of this ledger is, and how far it goes; nothing while NATS does not answer."""
        found: dict[int, tuple[int, int]] = {}
        if self._settings.nats_url is None:
            return found
        with suppress(NatsError, OSError):
            async with connected(self._settings.nats_url) as client:
                for log_id in range(self._settings.logs):
                    with suppress(NotFoundError):
                        stream = await client.jetstream().stream_info(stream_name(log_id))
                        if owner_of(stream) == await self._store.ledger_id():
                            found[log_id] = epoch_of(stream), stream.state.last_seq
        return found


@asynccontextmanager
async def restored_ledger(settings: Settings) -> AsyncIterator[Restored]:
    """The ledger of these settings, as who records and signs; OperatorError where no key of checkpoints is named."""
    if settings.audit_key_file is None:
        raise OperatorError("HOURBOOK_AUDIT_KEY_FILE is not set: a new epoch is signed by the key of checkpoints.")
    sealer = await opened_sealer(settings)
    async with (
        EventStore.connected(settings.database_url, settings.logs, sealer) as store,
        Database.connected(settings.database_url, 1, name="signers", role=SIGNER) as signers,
    ):
        yield Restored(settings, settings.audit_key_file, store, signers)
