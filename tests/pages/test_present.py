"""Which month was over last, by the seller's days (rule 2.2)."""

from datetime import UTC, datetime

import pytest

from services.pages.present import month_before


@pytest.mark.parametrize(
    ("instant", "month"),
    [
        (datetime(2026, 3, 15, tzinfo=UTC), "2026-02"),
        (datetime(2025, 12, 31, 20, 59, tzinfo=UTC), "2025-11"),
        (datetime(2025, 12, 31, 21, tzinfo=UTC), "2025-12"),
    ],
)
def test_the_month_before_is_that_of_the_sellers_zone(instant, month):
    assert month_before(instant) == month
