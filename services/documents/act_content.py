"""What an act says, whatever the form it is written in: titles, groups of lines, tax by rate, explanations."""

from itertools import groupby
from typing import NamedTuple

from contracts.quantities import rounded_division
from contracts.reports import AcceptedRow, Act, ActLine, Vat, VatRate
from services.documents.formats import Formats, day_of


class Group(NamedTuple):
    """Lines under one heading, numbered through the whole act; an act that corrects nothing has no headings."""

    heading: str
    lines: tuple[tuple[int, ActLine], ...]


class TaxRow(NamedTuple):
    """A row below the total."""

    label: str
    amount_kopecks: int | None


class HoursRow(NamedTuple):
    """A row of how the act's hours follow from the report's."""

    label: str
    row: AcceptedRow


def title_of(act: Act, formats: Formats) -> str:
    """`Акт № 17/24-2026-03`; where there is nothing to sign, there is no act with a number."""
    words = formats.words
    return f"{words['act']} {words['number']} {act.number}" if act.to_sign else words["no_act"]


def subject_of(act: Act, formats: Formats) -> str:
    """What the title is followed by: the day of the act, or the month that has none."""
    words = formats.words
    if not act.to_sign:
        return f"{words['for_month']} {formats.month(act.month)}"
    return f"{words['act_subject']} · {formats.long_day(act.act_date)}"


def replaces(act: Act, formats: Formats) -> str:
    """Which act of the same month it takes the place of."""
    if act.replaces is None or not act.to_sign:
        return ""
    closed = formats.long_day(day_of(act.replaces.closed_at))
    return formats.words["replaces"].format(number=act.replaces.number, day=closed)


def statement_of(act: Act) -> str | None:
    """Which sentence opens the act: none without services, another where more was taken back than rendered."""
    if not act.to_sign:
        return None
    return "correction_statement" if act.total_minutes < 0 or act.total_kopecks < 0 else "statement"


def service(line: ActLine, formats: Formats) -> tuple[str, str]:
    """What was done, and the package it was drawn from: nothing where the debt was paid in money."""
    if line.package_id is None:
        return formats.words["work_paid"], ""
    if line.plan is None:
        return formats.words["work_by_compensation"], line.package_id
    return formats.words["work_by_package"], f"{line.package_id} ({formats.size(line.plan, line.agreed_minutes)})"


def groups(act: Act, formats: Formats) -> list[Group]:
    """The month's own lines, then those that correct an act, act by act; each rate has a group of its own."""
    numbered = enumerate(act.lines, 1)
    found = groupby(numbered, key=lambda one: (one[1].corrects_month, one[1].corrects_act, one[1].vat_mode))
    return [Group(_heading(act, *key, formats), tuple(lines)) for key, lines in found]


def _heading(act: Act, corrects_month: str | None, corrects_act: str | None, mode: str, formats: Formats) -> str:
    words = formats.words
    if not any(line.corrects_month for line in act.lines):
        return ""
    if corrects_month is None:
        heading = words["services_of"].format(month=formats.month(act.month))
    else:
        heading = words["corrects"].format(number=corrects_act, month=formats.month(corrects_month))
    return f"{heading}, {_rate(mode, 'vat_also', formats)}" if len(act.vat_rates) > 1 else heading


def _rate(mode: str, word: str, formats: Formats) -> str:
    return formats.words["vat_none_also"] if mode == "none" else formats.words[word].format(rate=mode)


def tax_rows(act: Act, formats: Formats) -> list[TaxRow]:
    """The tax contained in the total; where there are several rates, what each of them applies to as well."""
    if len(act.vat_rates) > 1:
        return [row for rate in act.vat_rates for row in _rows_of(rate, formats)]
    return [tax_label(act.vat, formats)]


def tax_label(vat: Vat, formats: Formats) -> TaxRow:
    """The tax contained in the total, where it has one rate or none."""
    if vat.mode == "none":
        return TaxRow(formats.words["vat_none"], None)
    return TaxRow(_capital(formats.words["vat_row"].format(rate=vat.mode)), vat.amount_kopecks)


def _rows_of(rate: VatRate, formats: Formats) -> list[TaxRow]:
    words = formats.words
    if rate.mode == "none":
        return [TaxRow(words["vat_none_total"], rate.total_kopecks)]
    label = words["vat_row"].format(rate=rate.mode)
    return [
        TaxRow(words["vat_total"].format(rate=rate.mode), rate.total_kopecks),
        TaxRow(_capital(label), rate.vat_kopecks),
    ]


def tax_in_words(act: Act, formats: Formats) -> str:
    """The tax as the sentence of the total ends: `в том числе НДС 22 % — 467,05 ₽, НДС 5 % — −61,67 ₽`."""
    if act.vat.mode == "none":
        return formats.words["vat_none"]
    rates = act.vat_rates or (VatRate(mode=act.vat.mode, total_kopecks=0, vat_kopecks=0),)
    taxed = [rate for rate in rates if rate.mode != "none"]
    said = [
        f"{_rate(rate.mode, 'vat_also' if number else 'vat_row', formats)} — {formats.money(rate.vat_kopecks)}"
        for number, rate in enumerate(taxed)
    ]
    said += [
        f"{formats.words['vat_none_also']} — {formats.money(rate.total_kopecks)}"
        for rate in rates
        if rate.mode == "none"
    ]
    return ", ".join(said)


def prices(line: ActLine, formats: Formats) -> str:
    """The price of an hour, all of them where a compensation makes up for hours of several, or none (rule 3.3)."""
    return "; ".join(formats.money(price) for price in line.hour_prices_kopecks)


def notes(act: Act, formats: Formats) -> list[str]:
    """Why quantity × price can differ from the amount, and where it does by kopecks."""
    words = formats.words
    numbered = list(enumerate(act.lines, 1))
    kopecks = [number for number, line in numbered if _differs(line)]
    several = [number for number, line in numbered if len(line.hour_prices_kopecks) > 1]
    agreed = [number for number, line in numbered if not line.hour_prices_kopecks]
    said = [words["act_rounding"]] if act.lines else []
    return said + [
        words[word].format(rows=", ".join(map(str, rows)))
        for word, rows in (("act_kopecks", kopecks), ("act_prices", several), ("act_agreed", agreed))
        if rows
    ]


def _differs(line: ActLine) -> bool:
    price = line.hour_price_kopecks
    return price is not None and line.amount_kopecks != rounded_division(price * line.minutes, 60)


def hours_in_a_sentence(act: Act, formats: Formats) -> str:
    """How the act's time follows from the report's, where the first edition of the rules closed the month."""
    if act.rules_edition > 1:
        return ""
    words = formats.words
    said = "; ".join(
        f"{words[f'from_{row.kind}']} {formats.hours(row.hours)} {words['hours_unit']} ({formats.clock(row.minutes)})"
        for row in act.hours_from_report
    )
    return f"{words['hours_from_report']}: {said}."


def hours_rows(act: Act, formats: Formats) -> list[HoursRow]:
    """How the act's time follows from the report's, row by row, and in which act what is owed stands."""
    if act.rules_edition == 1:
        return []
    return [HoursRow(_hours_label(act, row, formats), row) for row in act.hours_from_report]


def _hours_label(act: Act, row: AcceptedRow, formats: Formats) -> str:
    word = {
        "charged": "hours_charged",
        "owed": "hours_owed_in" if row.month else "hours_owed",
        "settled": "hours_settled",
        "cancelled": "hours_cancelled" if row.minutes > 0 else "hours_cancelled_in",
        "accepted": "hours_accepted" if act.to_sign else "hours_to_accept",
    }[row.kind]
    return formats.words[word].format(month=formats.month(row.month) if row.month else "", number=row.act)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
