"""One space of idempotency keys over several logs (rule 11.2), without a transaction over two of them.

A log's unique index takes a key once within that log. With several logs a key is *reserved* for one of them before its
command is decided; with one log none of this happens.

- The reservation `key → (holder, generation)` is kept by the key's home, the log that the key's own hash names. The
  first to ask makes it, generation 0. It commits before the holder appends, and survives a crash in between: the same
  command, sent again, belongs to the same log and finds the reservation made.
- An append carries the generation under which each key was reserved, and is refused if the log has *revoked* the key in
  that generation or a later one. It asks under the log's lock, in its own transaction.
- A key that another log holds is used only if that log has recorded its command. If not, because that command was
  refused or its process died, the key is taken over: it is revoked in the holder, under the holder's lock, which fails
  if the command is recorded there; then the reservation moves to the new holder and the next generation, if nobody has
  moved it meanwhile.

So a key is recorded at most once. To record it in log X under generation g, X must have held it in g, and nobody may
have revoked g there; and the reservation leaves (X, g) only after a revocation of g that found nothing recorded in X.
Append and revocation happen under X's lock, so one sees the other: either the key stays with X for ever, or no append
under g ever commits. A revocation without a move, left by a crash, is healed by whoever asks next: the holder, too, can
take its own key over into the next generation.

Two logs that want a key at once may take it from each other before either has appended; who takes over waits first, for
a random while that doubles with each generation.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from random import SystemRandom

from services.ledger.domain.refusals import IdempotencyKeyReused
from services.ledger.event_store.keys import Reservation
from services.ledger.event_store.store import EventStore
from services.ledger.writing.submissions import Submission, fail_unanswered

BATCH_COMMANDS_MAX = 500
ASIDE_SECONDS = 0.01
ASIDE_SECONDS_MAX = 1.0


class Reservations:
    """Commands wait here, in order, until their keys are their log's; then they are handed on.

    While the keys of one batch are reserved the next one gathers. A command whose key another log holds waits aside.
    """

    def __init__(self, store: EventStore, log_id: int, hand_on: Callable[[Submission], None]) -> None:
        self._store = store
        self._log_id = log_id
        self._hand_on = hand_on
        self._waiting: deque[Submission] = deque()
        self._arrived = asyncio.Event()
        self._contests: set[asyncio.Task[None]] = set()

    def take(self, submission: Submission) -> None:
        """Hand the command on once its key is reserved; answer it here if the key is used in another log."""
        self._waiting.append(submission)
        self._arrived.set()

    async def require_unused_elsewhere(self, key: str) -> None:
        """IdempotencyKeyReused if another log recorded a command with the key; reserves nothing."""
        holder = await self._store.keys.holder(key)
        if holder not in {None, self._log_id} and await self._store.commands(holder, [key]):
            raise IdempotencyKeyReused(key)

    async def run(self) -> None:
        """Reserve until cancelled; commands that wait fail then."""
        try:
            while True:
                await self._arrived.wait()
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_COMMANDS_MAX))]
                if not self._waiting:
                    self._arrived.clear()
                await self._decide(batch)
        finally:
            fail_unanswered(self._waiting)
            for contest in self._contests:
                contest.cancel()

    async def _decide(self, batch: list[Submission]) -> None:
        try:
            reservations = await self._reserve({submission.key for submission in batch})
        except asyncio.CancelledError:
            fail_unanswered(batch)
            raise
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is the answer of those who wait
            for submission in batch:
                submission.fail(failure)
            return
        for submission in batch:
            held = reservations[submission.key]
            if self._is_ours(submission, held):
                self._accept(submission, held)
            else:
                contest = asyncio.create_task(self._contest(submission, held))
                self._contests.add(contest)
                contest.add_done_callback(self._contests.discard)

    async def _reserve(self, keys: set[str]) -> dict[str, Reservation]:
        """All homes at once, each in a statement of its own."""
        by_home: defaultdict[int, list[str]] = defaultdict(list)
        for key in keys:
            by_home[self._store.keys.home(key)].append(key)
        asked = (self._store.keys.reserve(home, theirs, self._log_id) for home, theirs in by_home.items())
        return {key: held for answer in await asyncio.gather(*asked) for key, held in answer.items()}

    def _is_ours(self, submission: Submission, held: Reservation) -> bool:
        """Whether this log may record the command by this reservation; not by one that was revoked before."""
        return held.holder == self._log_id and held.generation != submission.generation

    def _accept(self, submission: Submission, held: Reservation) -> None:
        submission.generation = held.generation
        self._hand_on(submission)

    async def _contest(self, submission: Submission, held: Reservation) -> None:
        """Refuse the command if another log really recorded the key, else win the key for this one."""
        keys = self._store.keys
        try:
            while not self._is_ours(submission, held):
                if submission.key in await self._store.commands(held.holder, [submission.key]):
                    break
                await asyncio.sleep(_aside_seconds(held.generation))
                if await keys.revoke(submission.key, held):
                    held = await keys.take_over(submission.key, held, self._log_id)
        except asyncio.CancelledError:
            fail_unanswered([submission])
            raise
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is this command's answer
            submission.fail(failure)
        else:
            if held.holder == self._log_id:
                self._accept(submission, held)
            else:
                submission.fail(IdempotencyKeyReused(submission.key))


def _aside_seconds(generation: int) -> float:
    return SystemRandom().uniform(0, min(ASIDE_SECONDS * 2 ** min(generation, 10), ASIDE_SECONDS_MAX))
