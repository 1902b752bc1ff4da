"""What people and workbooks write into cells, and what is made of it: never a guess where two readings are possible."""

from datetime import date, datetime, time, timedelta

import pytest

from services.onboarding import cells
from services.onboarding.sheets import CATEGORIES, DOCUMENTS

NBSP = "\N{NO-BREAK SPACE}"
moment = datetime.fromisoformat


@pytest.mark.parametrize(
    ("read", "cell", "value"),
    [
        (cells.text, f" ООО{NBSP}«Ока» \n", "ООО «Ока»"),
        (cells.text, 7707083893.0, "7707083893"),
        (cells.text, 12, "12"),
        (cells.text, "  ", None),
        (cells.identifier, f"kli{NBSP}ent-1 ", "klient-1"),
        (cells.digits_of(10, 12), f"7707{NBSP}083 893", "7707083893"),
        (cells.digits_of(10, 12), 101234567.0, "0101234567"),
        (cells.digits_of(10, 12), 50012345678.0, "050012345678"),
        (cells.digits_of(9), 50101001.0, "050101001"),
        (cells.digits_of(9), "7736", "7736"),
        (cells.hours, "1,5", 90),
        (cells.hours, "1.5", 90),
        (cells.hours, 1.5, 90),
        (cells.hours, "1:30", 90),
        (cells.hours, "1:30:00", 90),
        (cells.hours, time(1, 30), 90),
        (cells.hours, timedelta(hours=30), 1800),
        (cells.hours, "0,17", 10),
        (cells.hours, 1 / 6, 10),
        (cells.hours, f"1{NBSP}000", 60_000),
        (cells.hours, "", None),
        (cells.money, f"136{NBSP}500,00 ₽", 13_650_000),
        (cells.money, "0,5", 50),
        (cells.money, 63800.1, 6_380_010),
        (cells.money, 0, 0),
        (cells.money, "100 руб.", 10_000),
        (cells.day, date(2026, 3, 5), "2026-03-05"),
        (cells.day, moment("2026-03-05T00:00"), "2026-03-05"),
        (cells.day, "5.3.2026", "2026-03-05"),
        (cells.day, " 2026-03-05 ", "2026-03-05"),
        (cells.day, " ", None),
        (cells.moment, date(2026, 3, 5), "2026-03-05T00:00:00+03:00"),
        (cells.moment, moment("2026-03-05T14:30"), "2026-03-05T14:30:00+03:00"),
        (cells.moment, "05.03.2026 14:30", "2026-03-05T14:30:00+03:00"),
        (cells.moment, "2026-03-05T14:30", "2026-03-05T14:30:00+03:00"),
        (cells.truth, True, True),
        (cells.truth, "Да", True),
        (cells.truth, 0, False),
        (cells.truth, "", None),
        (cells.one_of(CATEGORIES), " Срочная ", "urgent"),
        (cells.one_of(CATEGORIES), "off_hours", "off_hours"),
        (cells.some_of(DOCUMENTS), "Отчёт, акт; УПД", ["act", "report", "upd"]),
        (cells.some_of(DOCUMENTS), "", None),
    ],
)
def test_what_can_be_read_one_way_alone_is_read(read, cell, value):
    assert read(cell) == value


@pytest.mark.parametrize(
    ("read", "cell"),
    [
        (cells.text, 12.1),
        (cells.text, moment("2026-03-05T00:00")),
        (cells.text, True),
        (cells.hours, "полтора"),
        (cells.hours, -1.0),
        (cells.hours, "1:75"),
        (cells.hours, "0,01"),
        (cells.hours, 1.4321),
        (cells.hours, moment("1900-01-01T06:00")),
        (cells.hours, True),
        (cells.money, "1,005"),
        (cells.money, "1.000,00"),
        (cells.money, "сто"),
        (cells.day, 46087.0),
        (cells.day, "05.03.26"),
        (cells.day, "03/05/2026"),
        (cells.day, "30.02.2026"),
        (cells.day, "05.03.2026 14:30"),
        (cells.moment, "05.03.2026 25:00"),
        (cells.moment, "05.03.2026 утром"),
        (cells.truth, "может быть"),
        (cells.one_of(CATEGORIES), "пожар"),
        (cells.some_of(DOCUMENTS), "отчёт, счёт"),
    ],
)
def test_what_could_mean_two_things_or_nothing_is_refused_with_a_remedy(read, cell):
    with pytest.raises(cells.Misfit, match=r".{10,}"):
        read(cell)
