"""Documents that were sent: their bytes for ever, and what became of them."""

from collections.abc import Collection

from asyncpg import Record

from contracts.sending import MarkBody, SentDocument
from services.access.principals import Principal
from services.billing.running import Connection
from services.process.problem_responses import ProblemError

KEPT = """
    SELECT account_id, name, media_type, content FROM document_of JOIN document USING (sha256)
    WHERE sha256 = $1 AND ($2::text[] IS NULL OR account_id = ANY($2)) LIMIT 1
"""

OF_MONTH = """
    SELECT month_document.account_id, kind, lang, revision, name
    FROM month_document JOIN document_of USING (sha256, account_id)
    WHERE sha256 = $1 AND ($2::text[] IS NULL OR account_id = ANY($2)) LIMIT 1
"""

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('hourbook document ' || $1, 0))"

LAST_MARK = """
    SELECT mark, marked_on, actor FROM document_mark WHERE sha256 = $1 AND account_id = $2 ORDER BY number DESC LIMIT 1
"""

ADD_MARK = """
    INSERT INTO document_mark (sha256, account_id, mark, marked_on, actor) VALUES ($1, $2, $3, $4, $5)
"""


async def kept_document(connection: Connection, sha256: str, scope: Collection[str] | None) -> Record:
    """Name, media type and bytes of a document of an account in the scope; `document-not-found` where there is none."""
    return _found(await connection.fetchrow(KEPT, bytes.fromhex(sha256), _within(scope)))


async def mark_document(connection: Connection, sha256: str, body: MarkBody, principal: Principal) -> SentDocument:
    """Add a mark to a month's document, in a transaction; one that its last mark says already is not added again."""
    content = bytes.fromhex(sha256)
    of = _found(await connection.fetchrow(OF_MONTH, content, _within(principal.accounts)))
    await connection.execute(LOCK, sha256)
    last, marked_by = await connection.fetchrow(LAST_MARK, content, of["account_id"]), principal.id
    if last and (last["mark"], last["marked_on"]) == (body.mark, body.marked_on):
        marked_by = last["actor"]
    else:
        await connection.execute(ADD_MARK, content, of["account_id"], body.mark, body.marked_on, principal.id)
    return SentDocument(
        sha256=sha256, kind=of["kind"], lang=of["lang"], revision=of["revision"], name=of["name"],
        mark=body.mark, marked_on=body.marked_on, marked_by=marked_by,
    )  # fmt: skip


def _within(scope: Collection[str] | None) -> list[str] | None:
    return None if scope is None else sorted(scope)


def _found(row: Record | None) -> Record:
    if row is None:
        raise ProblemError("document-not-found", "No document with this SHA-256 was sent. Check the hash.")
    return row
