"""An id for each request, the caller's or a new one, by which its lines in logs are found."""

import re
from collections.abc import Mapping
from uuid import uuid4

HEADER = b"x-request-id"
FORM = re.compile(rb"[A-Za-z0-9._:-]{1,64}")


def request_id(headers: Mapping[bytes, bytes]) -> str:
    """What the caller calls it, where that is 1 to 64 of A-Z a-z 0-9 . _ : -, else a new id."""
    given = headers.get(HEADER, b"")
    return given.decode("ascii") if FORM.fullmatch(given) else uuid4().hex
