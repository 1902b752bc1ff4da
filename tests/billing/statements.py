"""Statements as banks write them: only what a test speaks of needs to be said."""

from typing import Any

OWN = "40702810500000001234"
HEAD = {
    "ВерсияФормата": "1.03", "Кодировка": "Windows", "Отправитель": "Банк", "Получатель": "",
    "ДатаНачала": "01.11.2026", "ДатаКонца": "30.11.2026", "РасчСчет": OWN,
}  # fmt: skip
BALANCES = {"ДатаНачала": "01.11.2026", "НачальныйОстаток": "0.00", "РасчСчет": OWN, "КонечныйОстаток": "0.00"}


def document(**given: Any) -> dict[str, str]:
    """A payment of a package of 20 hours."""
    made = {
        "Номер": "123", "Дата": "02.11.2026", "Сумма": "63800.00", "ПлательщикСчет": "40702810900000000007",
        "ДатаСписано": "", "Плательщик": "ИНН 7736207543 ООО «Ока»", "ПлательщикИНН": "7736207543",
        "Плательщик1": "ООО «Ока»", "ПолучательСчет": OWN, "ДатаПоступило": "03.11.2026", "Получатель1": "ООО Синтез",
        "НазначениеПлатежа": "Оплата по счёту = аванс",
    }  # fmt: skip
    return made | given


def text(*documents: dict[str, str], head: dict[str, str] | None = None, end: str = "\r\n") -> str:
    """The statement with these documents."""
    lines = ["1CClientBankExchange", *_pairs(HEAD if head is None else head)]
    lines += ["СекцияРасчСчет", *_pairs(BALANCES), "КонецРасчСчет"]
    for each in documents:
        lines += ["СекцияДокумент=Платежное поручение", *_pairs(each), "КонецДокумента"]
    return end.join([*lines, "КонецФайла", ""])


def statement(*documents: dict[str, str]) -> bytes:
    """The same, as the bank gives it."""
    return text(*documents).encode("cp1251")


def _pairs(fields: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in fields.items()]
