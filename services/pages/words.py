"""What the pages say, in Russian and in English: each room has its own table, and here they are one."""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace

from services.documents.numerals import Lang

Words = Mapping[str, tuple[str, str]]
"""By name: the Russian text, and the English one."""

LANGUAGES: tuple[Lang, ...] = ("ru", "en")
LANGUAGE_NAMES: Mapping[Lang, str] = {"ru": "Русский", "en": "English"}


def joined(tables: Iterable[Words]) -> dict[Lang, SimpleNamespace]:
    """All words by language; a word that two rooms have would be said as one of them meant it, and is refused."""
    found: dict[str, tuple[str, str]] = {}
    for table in tables:
        assert not set(found) & set(table), f"two rooms have the words {sorted(set(found) & set(table))}"
        found |= table
    return {
        lang: SimpleNamespace(**{name: texts[place] for name, texts in found.items()})
        for place, lang in enumerate(LANGUAGES)
    }


def language_of(accepted: str) -> Lang:
    """The language that a browser's header Accept-Language prefers of ours; Russian where it names neither.

    >>> language_of("de;q=1, en-GB;q=0.9, ru;q=0.8"), language_of("*")
    ('en', 'ru')
    """
    wanted: list[tuple[float, int, Lang]] = []
    for place, each in enumerate(accepted.split(",")):
        name, _, quality = each.strip().partition(";q=")
        language = name.strip().lower().split("-")[0]
        wanted += [(-_number(quality), place, lang) for lang in LANGUAGES if lang == language]
    return min(wanted)[2] if wanted else LANGUAGES[0]


def _number(quality: str) -> float:
    try:
        return float(quality or 1)
    except ValueError:
        return 0.0
