"""An id for each request, the caller's or a new one, by which its lines in logs are found."""

import os
import re
from collections.abc import Mapping
from functools import cache
from itertools import count
from secrets import token_hex

from contracts.access import KEY_PREFIX

HEADER = b"x-request-id"
FORM = re.compile(rb"(?!%b)[A-Za-z0-9._:-]{1,64}" % KEY_PREFIX.encode())


def request_id(headers: Mapping[bytes, bytes]) -> str:
    """What the caller calls it, where that is 1 to 64 of A-Z a-z 0-9 . _ : - and no key, else a new id."""
    given = headers.get(HEADER, b"")
    return given.decode("ascii") if FORM.fullmatch(given) else f"{_process()}{next(_NUMBERS):016x}"


@cache
def _process() -> str:
    """Random bits for each id would cost more than all else that is done with it."""
    return token_hex(8)


_NUMBERS = count()
os.register_at_fork(after_in_child=_process.cache_clear)  # or each fork would give the same ids
