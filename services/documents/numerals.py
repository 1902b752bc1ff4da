"""Numbers in words, as an act states its total: Russian with its genders and cases, and English."""

from typing import Literal, NamedTuple

Lang = Literal["ru", "en"]


class Noun(NamedTuple):
    """A counted thing: one рубль, two рубля, five рублей. English has the same word twice."""

    one: str
    few: str
    many: str
    feminine: bool = False

    def beside(self, number: int) -> str:
        """The form that stands beside a number, in either language.

        >>> [HOURS["ru"].beside(number) for number in (1, 2, 5, 11, 21, 112)]
        ['час', 'часа', 'часов', 'часов', 'час', 'часов']
        """
        if self.few == self.many:
            return self.one if abs(number) == 1 else self.many
        tens, ones = divmod(abs(number) % 100, 10)
        if tens == 1 or ones == 0 or ones >= 5:
            return self.many
        return self.one if ones == 1 else self.few


RUBLES: dict[Lang, Noun] = {"ru": Noun("рубль", "рубля", "рублей"), "en": Noun("ruble", "rubles", "rubles")}
KOPECKS: dict[Lang, Noun] = {
    "ru": Noun("копейка", "копейки", "копеек", feminine=True),
    "en": Noun("kopeck", "kopecks", "kopecks"),
}
HOURS: dict[Lang, Noun] = {"ru": Noun("час", "часа", "часов"), "en": Noun("hour", "hours", "hours")}
MINUTES: dict[Lang, Noun] = {
    "ru": Noun("минута", "минуты", "минут", feminine=True),
    "en": Noun("minute", "minutes", "minutes"),
}

RUSSIAN_ONES = [
    "ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять", "одиннадцать",
    "двенадцать", "тринадцать", "четырнадцать", "пятнадцать", "шестнадцать", "семнадцать", "восемнадцать",
    "девятнадцать",
]  # fmt: skip
RUSSIAN_TENS = ["двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто"]
RUSSIAN_HUNDREDS = ["сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот", "девятьсот"]
RUSSIAN_SCALES = (
    Noun("тысяча", "тысячи", "тысяч", feminine=True),
    Noun("миллион", "миллиона", "миллионов"),
    Noun("миллиард", "миллиарда", "миллиардов"),
    Noun("триллион", "триллиона", "триллионов"),
)

ENGLISH_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
ENGLISH_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ENGLISH_SCALES = ("thousand", "million", "billion", "trillion")


def rubles_in_words(kopecks: int, lang: Lang) -> str:
    """A sum as a primary document writes it: rubles in words, kopecks in digits.

    >>> rubles_in_words(123_456, "ru"), rubles_in_words(-101, "en")
    ('Одна тысяча двести тридцать четыре рубля 56 копеек', 'Minus one ruble 01 kopeck')
    """
    rubles, rest = divmod(abs(kopecks), 100)
    words = f"{_counted(rubles, RUBLES[lang], lang)} {rest:02} {KOPECKS[lang].beside(rest)}"
    return _sentence(words, negative=kopecks < 0, lang=lang)


def hours_in_words(minutes: int, lang: Lang) -> str:
    """Time to the minute: decimal hours would be a rounding.

    >>> hours_in_words(1281, "ru"), hours_in_words(1281, "en")
    ('Двадцать один час двадцать одна минута', 'Twenty-one hours twenty-one minutes')
    """
    hours, rest = divmod(abs(minutes), 60)
    parts = [_counted(hours, HOURS[lang], lang)] if hours or not rest else []
    parts += [_counted(rest, MINUTES[lang], lang)] if rest else []
    return _sentence(" ".join(parts), negative=minutes < 0, lang=lang)


def _sentence(words: str, *, negative: bool, lang: Lang) -> str:
    words = f"{'минус' if lang == 'ru' else 'minus'} {words}" if negative else words
    return words[0].upper() + words[1:]


def _counted(number: int, noun: Noun, lang: Lang) -> str:
    words = _russian(number, feminine=noun.feminine) if lang == "ru" else _english(number)
    return f"{words} {noun.beside(number)}"


def _groups(number: int) -> list[int]:
    """Three digits at a time, the lowest first.

    >>> _groups(1_002_003)
    [3, 2, 1]
    """
    groups = [number % 1000]
    while number := number // 1000:
        groups.append(number % 1000)
    return groups


def _russian(number: int, *, feminine: bool) -> str:
    ones, *rest = _groups(number)
    parts = [_russian_group(ones, feminine=feminine)] if ones or not rest else []
    for group, scale in zip(rest, RUSSIAN_SCALES, strict=False):
        if group:
            parts.append(f"{_russian_group(group, feminine=scale.feminine)} {scale.beside(group)}")
    return " ".join(reversed(parts))


def _russian_group(group: int, *, feminine: bool) -> str:
    hundreds, rest = divmod(group, 100)
    words = [RUSSIAN_HUNDREDS[hundreds - 1]] if hundreds else []
    if rest >= 20:
        words.append(RUSSIAN_TENS[rest // 10 - 2])
        rest %= 10
    if rest or not words:
        words.append({1: "одна", 2: "две"}[rest] if feminine and rest in {1, 2} else RUSSIAN_ONES[rest])
    return " ".join(words)


def _english(number: int) -> str:
    ones, *rest = _groups(number)
    parts = [_english_group(ones)] if ones or not rest else []
    parts += [f"{_english_group(group)} {scale}" for group, scale in zip(rest, ENGLISH_SCALES, strict=False) if group]
    return " ".join(reversed(parts))


def _english_group(group: int) -> str:
    hundreds, rest = divmod(group, 100)
    words = [f"{ENGLISH_ONES[hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        tens, ones = divmod(rest, 10)
        words.append(ENGLISH_TENS[tens - 2] + (f"-{ENGLISH_ONES[ones]}" if ones else ""))
    elif rest or not words:
        words.append(ENGLISH_ONES[rest])
    return " ".join(words)
