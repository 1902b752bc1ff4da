"""A price list as a form has it: what is written in each field, and the version that this makes."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from contracts.terms import TermsVersion
from services.pages.commands.fields import Field, Misfit

PLAIN = (
    Field("name"), Field("in_force_from", "moment"), Field("debt_hour_price_kopecks", "money"),
    Field("quantum_minutes", "minutes"), Field("low_balance_percent", "minutes"), Field("expiring_days", "minutes"),
    Field("compensation_days", "minutes"),
)  # fmt: skip
OF_PLAN = (
    Field("name"), Field("minutes", "minutes"), Field("hour_price_kopecks", "money"), Field("price_kopecks", "money"),
    Field("validity_months", "minutes"),
)  # fmt: skip
CHARGED = ("regular", "urgent", "off_hours", "urgent_off_hours")
ROWS_SPARE = 2
ROWS_MAX = 100

Texts = Mapping[str, str]


def texts_of(version: TermsVersion) -> Texts:
    """The fields of a version that follows this one: as this one has it, but for its name and its beginning."""
    plain = {field.name: _written(field, getattr(version, field.name)) for field in PLAIN[2:]}
    coefficients = {f"coefficient_{each}": str(version.coefficients[each]) for each in CHARGED}
    plans = {
        f"plan_{row}_{field.name}": _written(field, getattr(plan, field.name))
        for row, plan in enumerate(version.plans.values())
        for field in OF_PLAN
    }
    return plain | coefficients | plans


def _written(field: Field, value: Any) -> str:
    return f"{value // 100}.{value % 100:02}" if field.kind == "money" else field.shown(value)


def rows_of(texts: Texts) -> range:
    """The rows of plans that a form has: those that are filled in, and some for more."""
    filled = [row for row in range(ROWS_MAX) if any(texts.get(f"plan_{row}_{field.name}") for field in OF_PLAN)]
    return range(min(max(filled, default=-1) + 1 + ROWS_SPARE, ROWS_MAX))


def version_of(texts: Texts, wrong: Callable[[str, Misfit], None]) -> Mapping[str, Any]:
    """The version as the route takes it; `wrong` is told of each field whose text is none of its kind."""

    def read(fields: tuple[Field, ...], prefix: str = "") -> Iterator[tuple[str, Any]]:
        for field in fields:
            try:
                value = field.given(texts.get(prefix + field.name) or None)
            except Misfit as misfit:
                wrong(field.name, misfit)
                continue
            if value is not None:
                yield field.name, value

    plans = [plan for row in rows_of(texts) if (plan := dict(read(OF_PLAN, f"plan_{row}_")))]
    coefficients = {each: texts.get(f"coefficient_{each}", "").replace(",", ".") for each in CHARGED}
    return {
        **dict(read(PLAIN)),
        "coefficients": {**coefficients, "warranty": "0"},
        "plans": {plan.get("name", ""): plan for plan in plans},
    }
