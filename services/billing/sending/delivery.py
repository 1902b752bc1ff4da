"""Messages on their way: one at a time, each step committed before the next, so that a crash anywhere repeats nothing.

But one: the mail server may have taken a message while its answer did not come through. That it is about to be given
the message is committed before; without an answer it is sent again, with the same Message-ID and the same bytes.
"""

import logging
from datetime import UTC, datetime, timedelta

from asyncpg import Record

from contracts.sending import MessageState
from services.billing.running import Connection
from services.billing.sending import metrics
from services.billing.sending.letter import Attachment, Letter
from services.billing.sending.smtp import Mailer, Outcome
from services.process.pauses import pause_after

logger = logging.getLogger(__name__)

ACTOR = "system-sender"
GIVE_UP_AFTER = timedelta(days=3)
STILL_TRIED = frozenset({"waiting", "handed-over"})
ERASED = "The address was erased."

NEXT = """
    SELECT message.*, address FROM message JOIN address USING (address_id)
    WHERE next_attempt_at <= clock_timestamp() ORDER BY next_attempt_at, message_id LIMIT 1
"""

ATTACHED = """
    SELECT name, content, media_type
    FROM message_document JOIN document USING (sha256) JOIN document_of USING (sha256, account_id)
    WHERE message_id = $1 ORDER BY ordinal
"""

CHANGE = """
    WITH changed AS (
        UPDATE message SET state = $2, answer = $3, attempts = $4, unanswered = $5,
            next_attempt_at = clock_timestamp() + $6::interval, changed_at = clock_timestamp()
        WHERE message_id = $1
    )
    INSERT INTO message_step (message_id, state, answer, actor) VALUES ($1, $2, $3, $7)
"""


async def deliver_next(connection: Connection, mailer: Mailer) -> bool:
    """Try the message whose time came first; false where there is none. By the one sender that works.

    MailServerUnavailable where none can be tried: then nothing of it is recorded.
    """
    message = await connection.fetchrow(NEXT)
    if message is None:
        return False
    if message["address"] is None:
        await _change(connection, message, "failed", ERASED, attempts=message["attempts"])
        return True
    letter = await _letter(connection, message)

    async def hand_over() -> None:
        """As if no answer came: so that is what stands there when this process ends before one does."""
        await _change(connection, message, "handed-over", None, unanswered=message["unanswered"] + 1)

    await _record(connection, message, await mailer.deliver(letter, hand_over))
    return True


async def _letter(connection: Connection, message: Record) -> Letter:
    return Letter(
        message_id=message["message_id"],
        sender=message["sender"],
        address=message["address"],
        written_at=message["prepared_at"],
        lang=message["lang"],
        subject=message["subject"],
        body=message["body"],
        attachments=[Attachment(*row) for row in await connection.fetch(ATTACHED, message["message_id"])],
    )


def state_after(outcome: Outcome, tried_for: timedelta) -> MessageState:
    """Where a message stands after an attempt. What may have been taken is tried again, as what was not is."""
    state: MessageState = "handed-over" if outcome.state == "unanswered" else outcome.state
    return "failed" if state in STILL_TRIED and tried_for > GIVE_UP_AFTER else state


async def _record(connection: Connection, message: Record, outcome: Outcome) -> None:
    """What came of an attempt."""
    metrics.ATTEMPTS.labels(outcome.state).inc()
    unanswered = message["unanswered"] + (outcome.state == "unanswered")
    state = state_after(outcome, datetime.now(UTC) - message["tried_since"])
    if state != "sent":
        logger.warning("Message %s is %s: %s", message["message_id"], state, outcome.answer)
    await _change(connection, message, state, outcome.answer, unanswered=unanswered)


async def _change(
    connection: Connection,
    message: Record,
    state: MessageState,
    answer: str | None,
    *,
    attempts: int | None = None,
    unanswered: int | None = None,
) -> None:
    """The state, and the step to it; `attempts`: how often it was tried by then, this time counted."""
    attempts = message["attempts"] + 1 if attempts is None else attempts
    unanswered = message["unanswered"] if unanswered is None else unanswered
    pause = pause_after(attempts) if state in STILL_TRIED else None
    await connection.execute(CHANGE, message["message_id"], state, answer, attempts, unanswered, pause, ACTOR)
