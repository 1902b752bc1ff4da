"""What stands in an event for a text about a person (FORMAT.md): a salted hash, so that the text can be erased.

Two forms: the second has each part after its length, so that no other salt and text make the same commitment. The
first, of earlier versions, is right only with a salt of 16 bytes.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import orjson

from contracts.quantities import COMMITMENT_FORM
from services.process.leaf import joined

SALT_BYTES = 16
FORM = b"hourbook name 2"
_FIRST, _SECOND = "sha256:", "sha256-2:"
_COMMITMENT = re.compile(COMMITMENT_FORM)


def commitment(salt: bytes, text: str) -> str:
    """In the form of today."""
    parts = (FORM, salt, text.encode())
    return _SECOND + sha256(joined(*parts)).hexdigest()


def stands_for(committed: str, salt: bytes, text: str) -> bool:
    """Whether a commitment, of either form, was made to this text with this salt."""
    if len(salt) != SALT_BYTES:
        return False
    if committed.startswith(_SECOND):
        return committed == commitment(salt, text)
    return committed == _FIRST + sha256(salt + text.encode()).hexdigest()


def is_commitment(text: str | None) -> bool:
    """Whether it stands for a text; a name that was recorded before names stood apart does not."""
    return text is not None and _COMMITMENT.fullmatch(text) is not None


def commitments_in(kind: str, data: str) -> set[str]:
    """Those that an event of this type holds."""
    return {name for name in _names(kind, orjson.loads(data)) if is_commitment(name)} if "sha256" in data else set()


def _names(kind: str, data: dict[str, Any]) -> Iterator[str | None]:
    match kind:
        case "TaskClosed" | "TaskCorrected":
            yield data.get("confirmed_by")
            yield from (entry.get("performer") for entry in data.get("time_entries") or ())
        case "AccountOpened" | "CustomerChanged":
            yield (data.get("customer_requisites") or {}).get("signatory_name")
        case "KeyMade" | "PersonAdmitted":
            yield data.get("name")
        case _:
            pass
