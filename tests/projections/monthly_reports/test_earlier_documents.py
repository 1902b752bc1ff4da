"""Rule 10.1: documents of months that an earlier version closed are made again as that version made them, to the byte.

`earlier/log.ndjson` was recorded by the program of before events said their edition of the rules; `documents.json` has
the SHA-256 of each document that it made of it.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from contracts.envelope import RecordedEvent
from services.documents.seller import DatedParty, DatedVat, Seller
from tests.projections.monthly_reports.conftest import Files, Telling, logged

EARLIER = Path(__file__).parent / "earlier"
SELLER = Seller(
    party=(DatedParty(name="ООО «Синтез»", inn="7701234560", address="115114, Москва, Дербеневская наб., д. 7"),),
    vat=(DatedVat(mode="5"), DatedVat(in_force_from="2026-01-01", mode="22")),
)


def recorded() -> Iterator[RecordedEvent]:
    for line in (EARLIER / "log.ndjson").read_text(encoding="utf-8").splitlines():
        yield RecordedEvent.model_validate_json(line)


def content(name: str, document: bytes) -> bytes:
    """What is in a document: workbooks are packed by whatever library the machine has."""
    if not name.endswith(".xlsx"):
        return document
    with ZipFile(BytesIO(document)) as packed:
        return b"".join(name.encode() + packed.read(name) for name in packed.namelist())


def hashes(files: Files) -> dict[str, str]:
    return {name: sha256(content(name, document)).hexdigest() for name, document in sorted(files.items())}


async def test_documents_of_months_closed_by_an_earlier_version_stay_as_they_were(telling: Telling):
    was = json.loads((EARLIER / "documents.json").read_text(encoding="utf-8"))
    months = sorted({name[name.index("-") + 1 :][:7] for name in was})
    async with telling() as told:
        told.seller = SELLER
        await told.apply(logged(recorded()))
        made = hashes(await told.data(months) | await told.papers(months))
    assert made == was
