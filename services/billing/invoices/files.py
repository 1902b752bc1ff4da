"""An invoice as a file: made when it is asked for first, and then the same bytes for ever."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

from contracts.invoices import Invoice
from services.billing.documents import keep
from services.billing.invoices.records import Kept
from services.billing.running import Billing
from services.documents import Lang
from services.documents.invoice_pdf import invoice_pdf
from services.documents.invoice_xlsx import invoice_xlsx

Form = Literal["pdf", "xlsx"]

MEDIA_TYPES: Mapping[Form, str] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_MADE_BY: Mapping[Form, Callable[[Invoice, Lang], bytes]] = {"pdf": invoice_pdf, "xlsx": invoice_xlsx}
_FIND = """
    SELECT content FROM invoice_document JOIN document USING (sha256)
    WHERE invoice_id = $1 AND form = $2 AND lang = $3
"""
_NAME = "INSERT INTO invoice_document VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"


async def invoice_file(billing: Billing, kept: Kept, form: Form, lang: Lang) -> bytes:
    """The invoice's bytes; of two that are made at once, those that were kept first."""
    async with billing.connection() as connection:
        found = await connection.fetchval(_FIND, kept.id, form, lang)
    if found is None:
        made = await asyncio.to_thread(_MADE_BY[form], kept.invoice, lang)
        async with billing.transaction() as connection:
            digest = await keep(connection, made, MEDIA_TYPES[form])
            await connection.execute(_NAME, kept.id, form, lang, digest)
            found = await connection.fetchval(_FIND, kept.id, form, lang)
    return found
