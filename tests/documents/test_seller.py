"""The seller's settings: its name, requisites and VAT mode are those in force on a day (rule 10.4)."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.documents.seller import Seller, seller, vat_within

MOVED = """
[[party]]
name = "ООО «Синтез»"
inn = "7701234560"
address = "Москва"

[[party]]
in_force_from = 2026-07-01
name = "АО «Синтез»"
inn = "7701234560"

[[vat]]
in_force_from = 2020-01-01
mode = "none"

[[vat]]
in_force_from = 2026-01-01
mode = "5"

[[vat]]
in_force_from = 2026-07-01
mode = "22"
"""


def written(folder: Path, text: str) -> Seller:
    file = folder / "seller.toml"
    file.write_text(text, encoding="utf-8")
    return seller(file)


@pytest.mark.parametrize(
    ("day", "name", "mode"),
    [
        (date(2019, 1, 31), "ООО «Синтез»", "none"),
        (date(2025, 12, 31), "ООО «Синтез»", "none"),
        (date(2026, 1, 1), "ООО «Синтез»", "5"),
        (date(2026, 6, 30), "ООО «Синтез»", "5"),
        (date(2026, 7, 1), "АО «Синтез»", "22"),
        (date(2030, 1, 31), "АО «Синтез»", "22"),
    ],
)
def test_what_was_in_force_on_the_day_counts(tmp_path: Path, day: date, name: str, mode: str):
    dated = written(tmp_path, MOVED)
    assert (dated.party_on(day).name, dated.vat_mode(day)) == (name, mode)


def test_one_party_alone_was_always_in_force(tmp_path: Path):
    alone = written(tmp_path, '[party]\nname = "ООО «Синтез»"\nsignatory_name = "Иванова А. П."\n')
    assert alone.party_on(date(1999, 1, 31)).signatory_name == "Иванова А. П."
    assert alone.vat_mode(date(2026, 1, 31)) == "none"


def test_without_a_file_the_seller_is_nameless():
    assert seller(None).party_on(date(2026, 1, 31)).name == "Исполнитель"


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('[party]\nname = "А"\ninn = "7701234567"', "check the digits"),
        ('[party]\nname = "А"\nphone = "1"', "phone"),
        ("[party]\ninn = '7701234560'", "name"),
        ('[[party]]\nname = "А"\n[[party]]\nname = "Б"', "later than that of the one before"),
        ('[[vat]]\nin_force_from = 2026-01-01\nmode = "5"\n[[vat]]\nmode = "7"', "later than that of the one before"),
        ('[[vat]]\nmode = "18"', "mode"),
        ("party = []", "party"),
    ],
)
def test_settings_that_do_not_fit_are_refused_by_name(tmp_path: Path, text: str, remedy: str):
    with pytest.raises(ValidationError, match=remedy):
        written(tmp_path, text)


@pytest.mark.parametrize(("mode", "tax"), [("none", 0), ("5", 476), ("7", 654), ("20", 1_667), ("22", 1_803)])
def test_vat_is_contained_in_the_amount_and_rounded_half_to_even(mode: str, tax: int):
    assert vat_within(10_000, mode) == tax
    assert vat_within(-10_000, mode) == -tax
