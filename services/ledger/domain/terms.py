"""The seller's terms, dated and append-only (rule 3.1): plans, coefficients, the price of debt, quantum, thresholds."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Plan:
    """A package on sale: its size in minutes, its price in kopecks, its validity in months."""

    name: str
    minutes: int
    hour_price_kopecks: int
    price_kopecks: int
    validity_months: int


@dataclass(frozen=True, slots=True)
class TermsVersion:
    """What was in force from an instant on."""

    name: str
    in_force_from: datetime
    quantum_minutes: int
    debt_hour_price_kopecks: int
    low_balance_percent: int
    expiring_days: int
    compensation_days: int
    coefficients: Mapping[str, Decimal]
    plans: Mapping[str, Plan]


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
        versions = tuple(_version(dict(given)) for given in document["version"])
        starts = [version.in_force_from for version in versions]
        if not versions or starts != sorted(set(starts)):
            raise ValueError("terms need at least one version, each in force from a later instant than the one before")
        return Terms(versions)


def _version(given: dict[str, Any]) -> TermsVersion:
    plans: Sequence[Mapping[str, Any]] = given.pop("plans")
    coefficients: Mapping[str, str] = given.pop("coefficients")
    in_force_from: datetime = given.pop("in_force_from")
    return TermsVersion(
        in_force_from=in_force_from.astimezone(UTC),
        plans={plan["name"]: Plan(**plan) for plan in plans},
        coefficients={category: Decimal(k) for category, k in coefficients.items()},
        **given,
    )
