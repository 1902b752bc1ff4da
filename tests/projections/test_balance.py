"""Balances as of any instant, as known at any other (rules 7.5, 12)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.quantities import KnownAt
from contracts.read_models import BalanceView
from services.projections.balances.queries import balance
from services.projections.lookups import UnknownAccount
from tests.projections.conftest import Applied
from tests.projections.vocabulary import (
    carried,
    closed,
    compensation,
    expired,
    marked,
    moment,
    opened,
    paid,
    purchased,
    reopened,
    resumed,
    returned,
    settled,
    suspended,
)

ACCOUNT = "romashka"


class Account:
    """One account's story, and questions about it."""

    def __init__(self, applied: Applied) -> None:
        self._applied = applied
        self.record(opened())

    def record(self, *events: Any, at: str | None = None) -> int:
        return self._applied.log.record(ACCOUNT, *events, at=at)

    async def view(
        self, as_of: str | None = None, known_at: KnownAt | str = None, now: str = "2026-03-20"
    ) -> BalanceView:
        position = await self._applied.position()
        asked = (as_of and moment(as_of), moment(known_at) if isinstance(known_at, str) else known_at)
        async with self._applied.database.acquire() as connection:
            return await balance(connection, ACCOUNT, *asked, moment(now), position)

    async def minutes(self, as_of: str | None = None, known_at: KnownAt | str = None, now: str = "2026-03-20") -> int:
        return (await self.view(as_of, known_at, now)).balance_minutes

    async def lots(self, as_of: str, known_at: KnownAt | str = None) -> list[tuple[str, str, int]]:
        """Lot, the package that holds it then, and what is left in it."""
        view = await self.view(as_of, known_at)
        return [(lot.lot_id, lot.package_id, lot.remaining_minutes) for lot in view.lots]


@pytest.fixture
def account(applied: Applied) -> Account:
    return Account(applied)


async def test_an_account_nobody_opened_is_unknown(applied: Applied):
    async with applied.database.acquire() as connection:
        with pytest.raises(UnknownAccount):
            await balance(connection, "nobody", None, None, datetime.now(UTC), 0)


async def test_a_new_account_holds_and_owes_nothing(account: Account):
    view = await account.view()
    assert (view.balance_minutes, view.held_minutes, view.owed_minutes, view.suspended, view.lots) == (
        0,
        0,
        0,
        False,
        (),
    )
    assert view.balance_hours == "0.00"


async def test_balance_is_what_is_held_less_what_is_owed(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    account.record(closed("T-1", on="2026-03-05", draws={"spring": 1200}, owed=100))
    account.record(paid({"T-1": 40}, on="2026-03-07"))
    view = await account.view()
    assert (view.balance_minutes, view.held_minutes, view.owed_minutes) == (-60, 0, 60)
    assert view.balance_hours == "-1.00"


async def test_a_balance_counts_what_took_effect_by_then(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    account.record(closed("T-1", on="2026-03-05 12:00", draws={"spring": 100}))
    assert await account.minutes("2026-02-28") == 0
    assert await account.minutes("2026-03-01") == 1200
    assert await account.minutes("2026-03-05 11:59") == 1200
    assert await account.minutes("2026-03-05 12:00") == 1100


async def test_what_was_believed_then_is_not_what_is_known_now(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    before = account.record(closed("T-1", on="2026-03-05", draws={"spring": 100}))
    account.record(closed("T-2", on="2026-03-04", draws={"spring": 50}), at="2026-04-02")
    assert await account.minutes("2026-03-10") == 1050
    assert await account.minutes("2026-03-10", known_at="2026-04-01") == 1100
    assert await account.minutes("2026-03-10", known_at=before) == 1100
    assert await account.minutes("2026-03-10", known_at="2026-04-02") == 1050


async def test_nothing_was_known_before_the_account_was_opened(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    assert await account.minutes("2026-03-10", known_at=0) == 0
    assert await account.minutes("2026-03-10", known_at="2025-12-31") == 0


async def test_an_answer_names_the_position_it_rests_on(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    account.record(closed("T-1", on="2026-03-05", draws={"spring": 100}))
    assert (await account.view()).position == 3
    assert (await account.view(known_at=2)).position == 2
    assert (await account.view(known_at=99)).position == 3
    assert (await account.view(known_at="2026-03-04")).position == 2


async def test_everything_recorded_counts_now_though_the_ledgers_clock_is_ahead(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01 12:00", until="2026-06-02"))
    assert await account.minutes(now="2026-03-01 11:59") == 1200


async def test_hours_are_gone_at_their_end_even_before_that_is_recorded(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    assert await account.minutes("2026-06-01 23:59") == 1200
    assert await account.minutes("2026-06-02") == 0
    assert await account.minutes(now="2026-06-02") == 0
    account.record(expired("spring", on="2026-06-02"))
    assert await account.minutes("2026-06-01 23:59") == 1200
    assert await account.minutes("2026-06-02") == 0


async def test_past_the_end_a_chain_of_successors_is_followed_before_anything_is_recorded(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    account.record(purchased("summer", 100, on="2026-05-01", until="2026-08-02", succeeds=["spring"]))
    account.record(purchased("autumn", 10, on="2026-07-01", until="2026-10-02", succeeds=["summer"]))
    assert await account.lots("2026-05-15") == [("spring", "spring", 1200), ("summer", "summer", 100)]
    assert await account.lots("2026-06-02") == [("spring", "summer", 1200), ("summer", "summer", 100)]
    assert await account.lots("2026-08-02") == [
        ("spring", "autumn", 1200),
        ("summer", "autumn", 100),
        ("autumn", "autumn", 10),
    ]
    assert await account.lots("2026-10-02") == []
    assert await account.lots("2026-08-02", known_at=3) == []


async def test_the_record_of_a_carry_over_changes_no_balance(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    account.record(purchased("summer", 100, on="2026-05-01", until="2026-08-02", succeeds=["spring"]))
    asked = ("2026-06-01", "2026-06-02", "2026-08-01", "2026-08-02")
    before = [await account.lots(as_of) for as_of in asked]
    account.record(
        carried({"spring": 1200}, of="spring", to="summer", on="2026-06-02", until="2026-08-02"),
        expired("spring", on="2026-06-02", to="summer"),
    )
    assert [await account.lots(as_of) for as_of in asked] == before


async def test_hours_reclaimed_late_were_never_gone(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    gone = account.record(expired("spring", on="2026-06-02"), at="2026-06-02")
    account.record(
        purchased("summer", 100, on="2026-05-01", until="2026-08-02", succeeds=["spring"]),
        carried({"spring": 1200}, of="spring", to="summer", on="2026-06-02", until="2026-08-02", reclaimed=True),
        at="2026-06-20",
    )
    assert await account.minutes("2026-06-10") == 1300
    assert await account.minutes("2026-06-10", known_at=gone) == 0
    assert await account.minutes("2026-06-10", known_at="2026-06-19") == 0
    assert await account.minutes("2026-05-15", known_at="2026-06-19") == 1200


async def test_the_first_package_bought_takes_over_though_recorded_later(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    account.record(purchased("autumn", 10, on="2026-05-20", until="2026-10-02", succeeds=["spring"]))
    late = purchased("summer", 100, on="2026-05-01", until="2026-08-02", succeeds=["spring"], successor="autumn")
    account.record(late, at="2026-05-25")
    assert ("spring", "summer", 1200) in await account.lots("2026-06-02")
    assert ("spring", "autumn", 1200) in await account.lots("2026-06-02", known_at="2026-05-24")
    assert ("spring", "autumn", 1200) in await account.lots("2026-08-02")


async def test_what_was_released_and_came_back_is_forfeited_again(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    account.record(expired("spring", on="2026-06-02"))
    account.record(closed("T-1", on="2026-05-30", draws={"spring": 200}), at="2026-06-10")
    assert await account.minutes("2026-05-31") == 1000
    account.record(reopened("T-1", on="2026-05-30", back=[returned("spring", 200, on="2026-05-30")]), at="2026-06-11")
    assert await account.minutes("2026-05-31") == 1200
    assert await account.minutes("2026-06-02") == 0
    assert await account.minutes(now="2026-06-12") == 0


async def test_a_compensation_counts_from_now_on_and_is_carried_over_like_any_package(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    account.record(closed("T-1", on="2026-03-05", draws={"spring": 200}))
    account.record(expired("spring", on="2026-06-02"))
    given = compensation("T-1", 200, on="2026-06-10", until="2026-07-11")
    account.record(marked("T-1", on="2026-03-05", given=given), at="2026-06-10")
    account.record(purchased("summer", 100, on="2026-06-20", until="2026-09-21", succeeds=["compensation-T-1-1"]))
    assert await account.minutes("2026-03-10") == 1000
    assert await account.minutes("2026-06-09") == 0
    assert await account.lots("2026-06-10") == [("compensation-T-1-1", "compensation-T-1-1", 200)]
    assert ("compensation-T-1-1", "summer", 200) in await account.lots("2026-07-11")


async def test_a_settlement_taken_back_leaves_no_trace_in_any_balance(account: Account):
    account.record(closed("T-1", on="2026-02-01", owed=100))
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    account.record(settled("T-1", "spring", 100, on="2026-03-01"))
    assert [await account.minutes(day) for day in ("2026-01-31", "2026-02-15", "2026-03-02")] == [0, -100, 1100]
    back = [returned("spring", 100, on="2026-03-01", settlement=True)]
    account.record(marked("T-1", on="2026-02-01", back=back), at="2026-03-10")
    assert [await account.minutes(day) for day in ("2026-01-31", "2026-02-15", "2026-03-02")] == [0, 0, 1200]


async def test_suspension_has_both_times_too(account: Account):
    account.record(closed("T-1", on="2026-02-01", owed=100))
    account.record(suspended(on="2026-02-05"))
    account.record(resumed(on="2026-02-20"))
    seen = {day: (await account.view(day)).suspended for day in ("2026-02-04", "2026-02-05", "2026-02-20")}
    assert seen == {"2026-02-04": False, "2026-02-05": True, "2026-02-20": False}
    assert (await account.view("2026-03-01", known_at="2026-02-10")).suspended
    assert not (await account.view()).suspended


async def test_lots_stand_in_the_order_in_which_they_are_drawn_on(account: Account):
    account.record(purchased("long", 10, on="2026-03-01", until="2026-12-02"))
    account.record(purchased("short", 20, on="2026-03-02", until="2026-06-02"))
    account.record(purchased("empty", 30, on="2026-03-03", until="2026-05-02"))
    account.record(closed("T-1", on="2026-03-05", draws={"empty": 30}))
    assert await account.lots("2026-03-10") == [("short", "short", 20), ("long", "long", 10)]


async def test_a_lot_is_shown_with_its_terms_and_the_end_of_the_package_that_holds_it(account: Account):
    account.record(purchased("spring", 1200, on="2026-03-01", until="2026-06-02", price=6_380_000))
    account.record(closed("T-1", on="2026-03-05", draws={"spring": 200}))
    account.record(purchased("summer", 100, on="2026-05-01", until="2026-08-02", succeeds=["spring"]))
    then, later = [(await account.view(as_of)).lots[0] for as_of in ("2026-05-15", "2026-06-15")]
    assert (then.plan, then.remaining_minutes, then.size_minutes, then.price_kopecks) == (
        "hours-20",
        1000,
        1200,
        6_380_000,
    )
    assert (then.starts_at, then.ends_at, later.ends_at) == (
        moment("2026-03-01"),
        moment("2026-06-02"),
        moment("2026-08-02"),
    )
