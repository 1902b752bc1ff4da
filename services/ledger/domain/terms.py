"""The seller's terms, dated and append-only (rule 3.1)."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.terms import Plan, TermsVersion

__all__ = ["Plan", "Terms", "TermsVersion"]


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
