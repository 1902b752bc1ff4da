"""The seller's terms, dated and append-only (rule 3.1): plans, coefficients, the price of debt, quantum, thresholds."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Self, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    model_validator,
)

from contracts.events import Category
from contracts.quantities import HOUR_PRICE_MAX, MINUTES_MAX


def _written_out(value: Any) -> Any:
    if isinstance(value, str):
        return value
    raise ValueError('write a coefficient as a text, such as "1.5": a float never enters (rule 1.2)')


# Bounds that leave room for the sums of many: every one of them stays exact (see contracts.quantities).
Minutes = Annotated[int, Strict(), Field(gt=0, le=MINUTES_MAX)]
Price = Annotated[int, Strict(), Field(gt=0, le=100 * HOUR_PRICE_MAX)]
HourPrice = Annotated[int, Strict(), Field(gt=0, le=HOUR_PRICE_MAX)]
Days = Annotated[int, Strict(), Field(gt=0, le=36_500)]
Months = Annotated[int, Strict(), Field(gt=0, le=1_200)]
Percent = Annotated[int, Strict(), Field(gt=0, le=100)]
Coefficient = Annotated[Decimal, BeforeValidator(_written_out), Field(ge=0, le=100)]


class Plan(BaseModel):
    """A package on sale: its size in minutes, its price in kopecks, its validity in months."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    minutes: Minutes
    hour_price_kopecks: HourPrice
    price_kopecks: Price
    validity_months: Months


class TermsVersion(BaseModel):
    """What was in force from an instant on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    in_force_from: Annotated[AwareDatetime, Strict(), AfterValidator(lambda instant: instant.astimezone(UTC))]
    quantum_minutes: Minutes
    debt_hour_price_kopecks: HourPrice
    low_balance_percent: Percent
    expiring_days: Days
    compensation_days: Days
    coefficients: Mapping[Category, Coefficient]
    plans: Mapping[str, Plan]

    @model_validator(mode="after")
    def _charges_whole_minutes(self) -> Self:
        if set(self.coefficients) != set(get_args(Category)):
            raise ValueError(f"give a coefficient to each of {', '.join(get_args(Category))}")
        if self.coefficients["warranty"]:
            raise ValueError("warranty costs nothing (rule 5.6)")
        if any(coefficient * self.quantum_minutes % 1 for coefficient in self.coefficients.values()):
            raise ValueError("a quantum times a coefficient is whole minutes (rule 1.1)")
        return self


@dataclass(frozen=True, slots=True)
class Terms:
    """All versions, the earliest first."""

    versions: tuple[TermsVersion, ...]

    def at(self, instant: datetime) -> TermsVersion:
        """The version in force then; the first one for any time before it."""
        found = bisect_right(self.versions, instant, key=lambda version: version.in_force_from)
        return self.versions[max(found - 1, 0)]

    @staticmethod
    def parse(document: Mapping[str, Any]) -> "Terms":
        """Terms from a parsed `terms.toml`; KeyError, TypeError or ValueError where it is not one."""
        versions = tuple(_version(**given) for given in document["version"])
        starts = [version.in_force_from for version in versions]
        if not versions or starts != sorted(set(starts)):
            raise ValueError("terms need at least one version, each in force from a later instant than the one before")
        return Terms(versions)


def _version(*, plans: list[Mapping[str, Any]], **given: Any) -> TermsVersion:
    by_name = {plan["name"]: plan for plan in plans}
    if len(by_name) < len(plans):
        raise ValueError("give every plan a name of its own")
    return TermsVersion.model_validate({**given, "plans": by_name})
