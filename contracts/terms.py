"""The seller's terms as they are published: plans, coefficients, the price of debt, quantum, thresholds (rule 3.4)."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from contracts.events import Category
from contracts.quantities import (
    HOUR_PRICE_MAX,
    MINUTES_MAX,
    AccountId,
    Instant,
    Kopecks,
    PackageId,
    SignedMinutes,
)

_COEFFICIENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?", re.ASCII)


def _written_out(value: Any) -> Any:
    if isinstance(value, Decimal) or (isinstance(value, str) and _COEFFICIENT.fullmatch(value)):
        return value
    raise ValueError('write a coefficient as a text, such as "1.5": a float never enters (rule 1.2)')


# Bounds that leave room for the sums of many: every one of them stays exact (see contracts.quantities).
Minutes = Annotated[int, Strict(), Field(gt=0, le=MINUTES_MAX)]
Price = Annotated[int, Strict(), Field(gt=0, le=100 * HOUR_PRICE_MAX)]
HourPrice = Annotated[int, Strict(), Field(gt=0, le=HOUR_PRICE_MAX)]
Days = Annotated[int, Strict(), Field(gt=0, le=36_500)]
Months = Annotated[int, Strict(), Field(gt=0, le=1_200)]
Percent = Annotated[int, Strict(), Field(gt=0, le=100)]
Coefficient = Annotated[
    Decimal,
    BeforeValidator(_written_out),
    Field(ge=0, le=100),
    WithJsonSchema({"type": "string", "pattern": f"^{_COEFFICIENT.pattern}$", "examples": ["1.5"]}),
]
TermsName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class Plan(BaseModel):
    """A package on sale: its size in minutes, its price in kopecks, its validity in months."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: TermsName
    minutes: Minutes
    hour_price_kopecks: HourPrice
    price_kopecks: Price
    validity_months: Months


class TermsVersion(BaseModel):
    """What is in force from an instant on. `plans` stand by their names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: TermsName
    in_force_from: Instant
    quantum_minutes: Minutes
    debt_hour_price_kopecks: HourPrice
    low_balance_percent: Percent
    expiring_days: Days
    compensation_days: Days
    coefficients: Mapping[Category, Coefficient]
    plans: Annotated[Mapping[TermsName, Plan], Field(max_length=1000)]

    @model_validator(mode="after")
    def _charges_whole_minutes(self) -> Self:
        if set(self.coefficients) != set(get_args(Category)):
            raise ValueError(f"give a coefficient to each of {', '.join(get_args(Category))}")
        if self.coefficients["warranty"]:
            raise ValueError("warranty costs nothing (rule 5.6)")
        if any(coefficient * self.quantum_minutes % 1 for coefficient in self.coefficients.values()):
            raise ValueError("a quantum times a coefficient is whole minutes (rule 1.1)")
        if any(name != plan.name for name, plan in self.plans.items()):
            raise ValueError("give every plan the name under which it stands")
        return self


class PublishedTerms(BaseModel):
    """A version that was published: at which position of the log of access, when, and by whom."""

    model_config = ConfigDict(frozen=True)

    version: TermsVersion
    position: int
    published_at: Instant
    published_by: str


class EffectOnAccount(BaseModel):
    """What a version would have changed for an account: differences, each what would have been less what was.

    `charged_minutes` of closings that stand, `purchased_minutes` and `purchased_kopecks` of packages, `paid_kopecks` of
    debt paid with money. `not_on_sale`: packages whose plan the version does not have; `not_in_quantum`: closings whose
    time it would have refused.
    """

    model_config = ConfigDict(frozen=True)

    account_id: AccountId
    charged_minutes: SignedMinutes = 0
    purchased_minutes: SignedMinutes = 0
    purchased_kopecks: Kopecks = 0
    paid_kopecks: Kopecks = 0
    not_on_sale: tuple[PackageId, ...] = ()
    not_in_quantum: int = 0


class EffectOfTerms(BaseModel):
    """What a version would have changed, had it been in force for what took effect since then, by account."""

    model_config = ConfigDict(frozen=True)

    version: TermsVersion
    since: Instant
    accounts: tuple[EffectOnAccount, ...]
