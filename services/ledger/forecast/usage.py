"""How an account has used its hours: charged minutes by day, of the last half year (rule 18.1)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from services.ledger.domain.local_time import local_date
from services.ledger.domain.state import Account

WEEKS = 26
WEEK = 7

Usage = Sequence[int]
"""Charged minutes a day, the oldest first."""


def usage(account: Account, now: datetime) -> list[int]:
    """Of the days before today, whole weeks of them, as far back as the account has existed and at most half a year."""
    today = local_date(now)
    charged = _charged_by_day(account, today - timedelta(days=WEEKS * WEEK), today)
    since = min((local_date(package.starts_at) for package in account.packages.values()), default=today)
    since = min([since, *charged])
    weeks = min(WEEKS, max((today - since).days // WEEK, 0))
    days = [today - timedelta(days=ago) for ago in range(weeks * WEEK, 0, -1)]
    return [charged.get(day, 0) for day in days]


def _charged_by_day(account: Account, since: date, before: date) -> dict[date, int]:
    found: dict[date, int] = {}
    for task in account.tasks.values():
        if task.closing and task.closing.charged_minutes:
            day = local_date(task.closing.effective_at)
            if since <= day < before:
                found[day] = found.get(day, 0) + task.closing.charged_minutes
    return found
