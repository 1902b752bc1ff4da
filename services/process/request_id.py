"""An id for each request, the caller's or a new one, by which its lines in logs are found."""

import re
from collections.abc import Mapping
from itertools import count
from secrets import token_hex

from contracts.access import KEY_PREFIX

HEADER = b"x-request-id"
FORM = re.compile(rb"(?!%b)[A-Za-z0-9._:-]{1,64}" % KEY_PREFIX.encode())


def request_id(headers: Mapping[bytes, bytes]) -> str:
    """What the caller calls it, where that is 1 to 64 of A-Z a-z 0-9 . _ : - and no key, else a new id."""
    given = headers.get(HEADER, b"")
    return given.decode("ascii") if FORM.fullmatch(given) else f"{_PROCESS}{next(_NUMBERS):016x}"


_PROCESS, _NUMBERS = token_hex(8), count()
"""Random bits for each id would cost more than all else that is done with it."""
