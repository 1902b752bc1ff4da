"""Numbers in words: every form of a Russian noun, both genders, and zeros between."""

import pytest

from services.documents.numerals import hours_in_words, rubles_in_words


@pytest.mark.parametrize(
    ("kopecks", "words"),
    [
        (0, "Ноль рублей 00 копеек"),
        (1, "Ноль рублей 01 копейка"),
        (100, "Один рубль 00 копеек"),
        (202, "Два рубля 02 копейки"),
        (505, "Пять рублей 05 копеек"),
        (1_111, "Одиннадцать рублей 11 копеек"),
        (1_414, "Четырнадцать рублей 14 копеек"),
        (2_121, "Двадцать один рубль 21 копейка"),
        (11_200, "Сто двенадцать рублей 00 копеек"),
        (100_000, "Одна тысяча рублей 00 копеек"),
        (200_100, "Две тысячи один рубль 00 копеек"),
        (1_100_000, "Одиннадцать тысяч рублей 00 копеек"),
        (2_200_000_34, "Два миллиона двести тысяч рублей 34 копейки"),
        (21_000_003_00, "Двадцать один миллион три рубля 00 копеек"),
        (1_000_000_001_00, "Один миллиард один рубль 00 копеек"),
        (10**15, "Десять триллионов рублей 00 копеек"),
        (-4_200, "Минус сорок два рубля 00 копеек"),
        (-50, "Минус ноль рублей 50 копеек"),
    ],
)
def test_rubles_in_russian(kopecks: int, words: str):
    assert rubles_in_words(kopecks, "ru") == words


@pytest.mark.parametrize(
    ("kopecks", "words"),
    [
        (101, "One ruble 01 kopeck"),
        (123_456, "One thousand two hundred thirty-four rubles 56 kopecks"),
        (-2_000_000_00, "Minus two million rubles 00 kopecks"),
        (19_00, "Nineteen rubles 00 kopecks"),
        (40_00, "Forty rubles 00 kopecks"),
    ],
)
def test_rubles_in_english(kopecks: int, words: str):
    assert rubles_in_words(kopecks, "en") == words


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "Ноль часов"),
        (1, "Одна минута"),
        (60, "Один час"),
        (122, "Два часа две минуты"),
        (21 * 60 + 41, "Двадцать один час сорок одна минута"),
        (-50, "Минус пятьдесят минут"),
        (1000 * 60, "Одна тысяча часов"),
    ],
)
def test_hours_in_russian(minutes: int, words: str):
    assert hours_in_words(minutes, "ru") == words


def test_hours_in_english():
    assert hours_in_words(61, "en") == "One hour one minute"
