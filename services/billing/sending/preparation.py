"""From a request to messages: documents are made, kept under their hash, and stand in messages, in one transaction."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import uuid4

import httpx

from contracts.reports import Act
from contracts.sending import DocumentKind
from services.billing.documents import keep
from services.billing.hourbook import Hourbook
from services.billing.running import Billing, Connection
from services.billing.sending.plan import NewMessage, Plan, path_of, plan
from services.billing.sending.texts import Texts
from services.documents import Lang
from services.documents.formats import Formats, printable
from services.documents.words import words

NEXT = """
    SELECT number, account_id, month, actor, again FROM sending_request
    WHERE state = 'requested' ORDER BY number LIMIT 1
"""
DONE = "UPDATE sending_request SET state = $2, reason = $3 WHERE number = $1"

KEPT = """
    SELECT kind, lang, sha256, name FROM month_document JOIN document_of USING (sha256, account_id)
    WHERE account_id = $1 AND month = $2 AND revision = $3
"""
KEEP_OF_ACCOUNT = "INSERT INTO document_of (account_id, sha256, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
KEEP_OF_MONTH = """
    INSERT INTO month_document (account_id, month, revision, kind, lang, sha256) VALUES ($1, $2, $3, $4, $5, $6)
"""
ADD_MESSAGE = """
    INSERT INTO message (message_id, account_id, month, revision, address_id, lang, sender, subject, body)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
ADD_DOCUMENT = """
    INSERT INTO message_document (message_id, ordinal, address_id, account_id, month, revision, kind, sha256)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
ADD_STEP = "INSERT INTO message_step (message_id, state, actor) VALUES ($1, 'prepared', $2)"
REPEAT = """
    UPDATE message SET state = 'prepared', tried_since = clock_timestamp(), next_attempt_at = clock_timestamp(),
        changed_at = clock_timestamp()
    WHERE message_id = $1 AND state IN ('refused', 'failed')
"""


class Writing(NamedTuple):
    """Whom messages are from, and what they say in each language."""

    sender: str
    texts: Mapping[Lang, Texts]


class Document(NamedTuple):
    """One that is kept, or will be where it has `content`."""

    sha256: bytes
    name: str
    media_type: str = ""
    content: bytes | None = None


Documents = dict[tuple[DocumentKind, Lang], Document]


async def prepare_next(billing: Billing, connection: Connection, writing: Writing) -> bool:
    """Prepare what the oldest request asks for; false where there is none. By the one sender that works."""
    request = await connection.fetchrow(NEXT)
    if request is None:
        return False
    planned = await plan(billing, billing.hourbook, request["account_id"], request["month"], again=request["again"])
    documents = await _documents(connection, billing.hourbook, planned)
    async with connection.transaction():
        if planned.act:
            await _keep(connection, planned.act, documents)
            for message in planned.new:
                await _add(connection, planned.act, message, documents, writing, request["actor"])
        for repeat in planned.repeats:
            await connection.execute(REPEAT, repeat.message_id)
            await connection.execute(ADD_STEP, repeat.message_id, request["actor"])
        await connection.execute(DONE, request["number"], planned.state, planned.reason)
    return True


async def _documents(connection: Connection, hourbook: Hourbook, planned: Plan) -> Documents:
    """Those that the new messages need: what is kept, and what is made now of the same closing."""
    if planned.act is None:
        return {}
    act = planned.act
    rows = await connection.fetch(KEPT, act.account_id, act.month, act.revision)
    found: Documents = {(row["kind"], row["lang"]): Document(row["sha256"], row["name"]) for row in rows}
    for each in {_named(kind, message.to.lang): None for message in planned.new for kind in message.kinds}:
        if each not in found:
            found[each] = await _made(hourbook, act, *each)
    return found


def _named(kind: DocumentKind, lang: Lang) -> tuple[DocumentKind, Lang]:
    """Which document is meant: there is no УПД but in Russian."""
    return kind, "ru" if kind == "upd" else lang


async def _made(hourbook: Hourbook, act: Act, kind: DocumentKind, lang: Lang) -> Document:
    asked = {"known_at": act.position} | ({} if kind == "upd" else {"lang": lang})
    made = await hourbook.answer("GET", path_of(act, kind), params=asked)
    name = _given_name(made) if kind == "upd" else _file_name(act, kind)
    media_type = made.headers["Content-Type"].partition(";")[0]
    return Document(sha256(made.content).digest(), name, media_type, made.content)


def _given_name(made: httpx.Response) -> str:
    """The name that an УПД has inside too."""
    return made.headers["Content-Disposition"].partition('filename="')[2].rstrip('"')


def _file_name(act: Act, kind: DocumentKind) -> str:
    revision = f"-{act.revision}" if act.revision > 1 else ""
    return f"{kind.capitalize()}-{act.account_id}-{act.month}{revision}.pdf"


async def _keep(connection: Connection, act: Act, documents: Documents) -> None:
    for (kind, lang), document in documents.items():
        if document.content is not None:
            await keep(connection, document.content, document.media_type)
            await connection.execute(KEEP_OF_ACCOUNT, act.account_id, document.sha256, document.name)
            of_month = (act.account_id, act.month, act.revision, kind, lang, document.sha256)
            await connection.execute(KEEP_OF_MONTH, *of_month)


async def _add(
    connection: Connection, act: Act, message: NewMessage, documents: Documents, writing: Writing, actor: str
) -> None:
    message_id, to = uuid4(), message.to
    subject, body = written(act, message.kinds, to.lang, writing.texts[to.lang])
    of = (act.account_id, act.month, act.revision)
    await connection.execute(ADD_MESSAGE, message_id, *of, to.address_id, to.lang, writing.sender, subject, body)
    for ordinal, kind in enumerate(message.kinds):
        document = documents[_named(kind, to.lang)].sha256
        await connection.execute(ADD_DOCUMENT, message_id, ordinal, to.address_id, *of, kind, document)
    await connection.execute(ADD_STEP, message_id, actor)


def written(act: Act, kinds: Sequence[DocumentKind], lang: Lang, texts: Texts) -> tuple[str, str]:
    """Subject and text of a message with these documents."""
    formats, of = Formats(lang), words(lang)
    named = {kind: f"{of[kind]} {of['number']} {act.number}" for kind in ("act", "upd")} | {"report": of["report"]}
    values = {
        "customer": act.customer.name,
        "seller": act.seller.name,
        "contract_number": act.contract_number,
        "contract_date": formats.long_day(act.contract_date),
        "month": formats.month(act.month),
        "documents": "\n".join(f"— {named[kind]}" for kind in kinds),
    }
    shown = {name: value if name == "documents" else printable(value) for name, value in values.items()}
    return texts.written(shown, signing="act" in kinds, replacement=act.revision > 1)
