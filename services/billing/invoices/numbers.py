"""Numbers of invoices as people write them in the purpose of a payment."""

import re

from contracts.invoices import NUMBER_FORM

_STANDS_ALONE = re.compile(rf"(?<![\w-])(?:{NUMBER_FORM})(?![\w-]|/\d)")


def numbers_in(text: str) -> set[str]:
    """The numbers that stand in a text as words of their own.

    >>> numbers_in("счёт № 2026-17 от 28.11.2026"), numbers_in("счёт 2026-17/1")
    ({'2026-17'}, set())
    """
    return set(_STANDS_ALONE.findall(text))
