"""What the connector writes into a task, in Russian or in English. Pure."""

from dataclasses import dataclass
from typing import Literal

from contracts.quantities import decimal_hours

Language = Literal["ru", "en"]

_WORDING = {
    "charged": ("Учтено {charged} ч: отработано {worked} ч × {k}.", "Charged {charged} h: {worked} h of work × {k}."),
    "packages": (" Пакет: {packages}.", " Package: {packages}."),
    "owed": (" В долг: {owed} ч.", " Owed: {owed} h."),
    "left": (" Остаток после этого: {left} ч.", " Left after that: {left} h."),
    "why": ("Почему столько: {link}", "Why so much: {link}"),
    "taken_back": ("Учтённое время снято: задача открыта.", "What was charged is taken back: the task is open."),
}  # fmt: skip


@dataclass(frozen=True)
class Charge:
    """What a closing cost, and the balance after it; minutes."""

    charged_minutes: int
    worked_minutes: int
    coefficient: str
    packages: tuple[str, ...]
    owed_minutes: int
    balance_minutes: int


def charged_text(charge: Charge, link: str, language: Language) -> str:
    """Time, K, package, what is left, and where the explanation is."""
    parts = ["charged", *(["packages"] if charge.packages else []), *(["owed"] if charge.owed_minutes else []), "left"]
    figures = {
        "charged": decimal_hours(charge.charged_minutes),
        "worked": decimal_hours(charge.worked_minutes),
        "k": charge.coefficient,
        "owed": decimal_hours(charge.owed_minutes),
        "left": decimal_hours(charge.balance_minutes),
    }
    if language == "ru":
        figures = {name: figure.replace(".", ",") for name, figure in figures.items()}
    said = "".join(_say(part, language).format(packages=", ".join(charge.packages), **figures) for part in parts)
    return f"{said}\n{_say('why', language).format(link=link)}"


def taken_back_text(link: str, language: Language) -> str:
    """The task costs nothing for now."""
    return f"{_say('taken_back', language)}\n{_say('why', language).format(link=link)}"


def _say(expression: str, language: Language) -> str:
    russian, english = _WORDING[expression]
    return russian if language == "ru" else english
