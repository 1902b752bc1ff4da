"""The hash that a closed month's report is frozen with (rule 10.1), for whoever wants to work it out again."""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple


class Figures(NamedTuple):
    """What a closing came to in a month: whole minutes and kopecks, negative where more was taken back than charged."""

    task_id: str
    closure: int
    worked_minutes: int
    charged_minutes: int
    amount_kopecks: int


def report_text(
    account_id: str,
    month: str,
    opening_balance_minutes: int,
    closing_balance_minutes: int,
    lines: Iterable[Figures],
) -> str:
    r"""The text that is hashed: a report's figures and nothing of its wording, all of them fields of its JSON.

    Words are parted by one space, lines end with a line feed, numbers are decimal without leading zeros or plus sign.
    The first line names the form, the next four the account, the month and its balances in minutes. Then comes a line
    for each line of the report, by task_id (in order of code points), then by closure: task_id, closure,
    worked_minutes, charged_minutes, amount_kopecks.

    >>> report_text("oka", "2026-03", 600, -30, [Figures("T-2", 1, 20, 30, 159500), Figures("T-1", 2, 600, 600, 0)])
    'hourbook-report 1\naccount oka\nmonth 2026-03\nopening 600\nclosing -30\nT-1 2 600 600 0\nT-2 1 20 30 159500\n'
    """
    head = (
        ("hourbook-report", 1),
        ("account", account_id),
        ("month", month),
        ("opening", opening_balance_minutes),
        ("closing", closing_balance_minutes),
    )
    return "".join(" ".join(map(str, words)) + "\n" for words in (*head, *sorted(lines)))


def report_hash(
    account_id: str,
    month: str,
    opening_balance_minutes: int,
    closing_balance_minutes: int,
    lines: Iterable[Figures],
) -> str:
    """SHA-256 of `report_text` in UTF-8, as 64 hexadecimal digits in lower case."""
    text = report_text(account_id, month, opening_balance_minutes, closing_balance_minutes, lines)
    return sha256(text.encode()).hexdigest()
