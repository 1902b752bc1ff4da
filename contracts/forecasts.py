"""What a forecast answers: each expectation as its 10th, 50th and 90th percentile (rule 18)."""

from contracts.quantities import AccountId, Instant, Kopecks, LotId, Minutes
from contracts.read_models import ExpectedDay, ReadModel


class ExpectedMinutes(ReadModel):
    """Minutes: in a tenth of the ways not more than `p10`, in half not more than `p50`."""

    p10: Minutes
    p50: Minutes
    p90: Minutes


class ExpectedMoney(ReadModel):
    """Kopecks: in a tenth of the ways not more than `p10`, in half not more than `p50`."""

    p10: Kopecks
    p50: Kopecks
    p90: Kopecks


class ExpectedEnd(ReadModel):
    """What the end of a package is expected to forfeit."""

    package_id: LotId
    ends_at: Instant
    forfeited_minutes: ExpectedMinutes
    forfeited_amount_kopecks: ExpectedMoney


class ForecastView(ReadModel):
    """What is expected of an account that goes on as in its last `weeks_of_history` weeks and buys nothing more.

    `run_out_on`: when its balance is no longer above zero, by use or by the end of its packages. `position`: of the
    account's last event, on which this rests.
    """

    account_id: AccountId
    as_of: Instant
    position: int
    weeks_of_history: int
    run_out_on: ExpectedDay
    ends: tuple[ExpectedEnd, ...]
