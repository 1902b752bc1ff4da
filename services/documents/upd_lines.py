"""The lines of an act as an УПД states them: never below zero, with the tax of each rate split to the kopeck."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import NamedTuple

from contracts.quantities import rounded_division
from contracts.reports import Act, ActLine, VatMode, VatRate
from services.documents.act_content import service
from services.documents.formats import Formats

_DIGITS = Decimal("0.000001")
"""Six digits of an hour and of its price: with two, hours times price do not give our kopecks."""


class BelowZero(Exception):
    """An act takes back more at one rate than it accepts: an УПД cannot say so."""

    def __init__(self, mode: VatMode, acts: Sequence[str]) -> None:
        super().__init__(mode)
        self.mode = mode
        self.acts = acts


class UpdLine(NamedTuple):
    """A service. Hours and the price of an hour, without tax, stand where one price was agreed (rule 10.4)."""

    name: str
    minutes: int
    hours: Decimal | None
    hour_price: Decimal | None
    net_kopecks: int
    vat_kopecks: int
    mode: VatMode

    @property
    def total_kopecks(self) -> int:
        return self.net_kopecks + self.vat_kopecks


def upd_lines(act: Act, formats: Formats) -> list[UpdLine]:
    """The act's lines, rate by rate; BelowZero where a rate's sum is.

    Where a rate has lines that take back, all of it is one line: what is accepted, less that.
    """
    return [line for rate in act.vat_rates for line in _of_rate(act, rate, formats)]


def _of_rate(act: Act, rate: VatRate, formats: Formats) -> Iterable[UpdLine]:
    lines = [line for line in act.lines if line.vat_mode == rate.mode]
    corrected = sorted({line.corrects_act for line in lines if line.corrects_act})
    if rate.total_kopecks < 0:
        raise BelowZero(rate.mode, corrected)
    if any(line.minutes < 0 or line.amount_kopecks < 0 for line in lines):
        yield _together(act, rate, corrected, sum(line.minutes for line in lines), formats)
        return
    for line, vat in zip(lines, _split(rate, lines), strict=True):
        yield _line(line, vat, formats)


def _split(rate: VatRate, lines: Sequence[ActLine]) -> list[int]:
    """The tax of a rate, by what its lines cost: each is rounded with those before it, so that they add up."""
    costs = accumulate((line.amount_kopecks for line in lines), initial=0)
    total = rate.total_kopecks
    taxes = [rounded_division(rate.vat_kopecks * cost, total) if total else 0 for cost in costs]
    return [later - earlier for earlier, later in pairwise(taxes)]


def _line(line: ActLine, vat_kopecks: int, formats: Formats) -> UpdLine:
    work, package = service(line, formats)
    name = ": ".join(filter(None, (work, package)))
    if line.corrects_act:
        month = formats.month(line.corrects_month or "")
        name = f"{name}. {formats.words['corrects'].format(number=line.corrects_act, month=month)}"
    price = line.hour_price_kopecks if line.minutes > 0 else None
    if not price:
        name = f"{name}, {_time(line.minutes, line.hours, formats)}"
    return UpdLine(
        name=name,
        minutes=line.minutes,
        hours=(Decimal(line.minutes) / 60).quantize(_DIGITS) if price else None,
        hour_price=_without_tax(price, line.vat_mode) if price else None,
        net_kopecks=line.amount_kopecks - vat_kopecks,
        vat_kopecks=vat_kopecks,
        mode=line.vat_mode,
    )


def _together(act: Act, rate: VatRate, corrected: Sequence[str], minutes: int, formats: Formats) -> UpdLine:
    words = formats.words
    name = words["upd_together"].format(month=formats.month(act.month), acts=", ".join(corrected))
    name = f"{name}, {formats.clock(minutes)} {words['exact']}"
    return UpdLine(name, minutes, None, None, rate.total_kopecks - rate.vat_kopecks, rate.vat_kopecks, rate.mode)


def _time(minutes: int, hours: str, formats: Formats) -> str:
    return f"{formats.hours(hours)} {formats.words['hours_unit']} ({formats.clock(minutes)})"


def _without_tax(price_kopecks: int, mode: VatMode) -> Decimal:
    """The price of an hour in rubles, without the tax contained in it."""
    rate = 0 if mode == "none" else int(mode)
    return (Decimal(price_kopecks) / (100 + rate)).quantize(_DIGITS)
