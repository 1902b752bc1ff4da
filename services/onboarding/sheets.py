"""The sheets of a seller's book and their columns: what is written there, in both languages, and how it is read."""

from collections.abc import Callable
from typing import Any

from services.onboarding import cells
from services.onboarding.columns import Column, Sheet

CATEGORIES = {
    "обычная": "regular",
    "срочная": "urgent",
    "нерабочее время": "off_hours",
    "срочная в нерабочее время": "urgent_off_hours",
    "гарантия": "warranty",
    "regular": "regular",
    "urgent": "urgent",
    "off hours": "off_hours",
    "urgent off hours": "urgent_off_hours",
    "warranty": "warranty",
    "off_hours": "off_hours",
    "urgent_off_hours": "urgent_off_hours",
}
WORK_KINDS = {"работа": "work", "тз": "specification", "work": "work", "specification": "specification"}
DOCUMENTS = {
    "отчёт": "report",
    "отчет": "report",
    "акт": "act",
    "упд": "upd",
    "report": "report",
    "act": "act",
    "upd": "upd",
}
LANGUAGES = {"ru": "ru", "en": "en", "русский": "ru", "english": "en"}
PLANS = ("hours-20", "hours-30", "hours-50", "hours-100")
"""Those of the first price list, offered in the template; the ledger judges by the list in force."""

EXAMPLE = "example"
"""Rows of customers whose id begins so are examples, and are passed over."""


ACCOUNT = Column(
    "account_id",
    ("Код заказчика", "Customer id"),
    cells.identifier,
    True,
    (
        "Короткий код латиницей и цифрами, один на договор: по нему связаны листы",
        "A short code of Latin letters and digits, one for each contract: it joins the sheets",
    ),
    examples=("example-1", "example-2"),
)
_DAY_HINT = ("День: 05.03.2026", "A day: 05.03.2026")
_MOMENT_HINT = (
    "День или день и время: 05.03.2026 14:30, московское",
    "A day, or a day and a time: 05.03.2026 14:30, Moscow",
)
_HOURS_HINT = ("Часы: 1,5 или 1:30", "Hours: 1,5 or 1:30")
_AGREED = ("Если отличается от тарифа, как при переносе остатка", "Where it differs from the plan, as for what is left")


def _requisite(name: str, ru: str, en: str, *examples: Any, read: Callable[[Any], Any] = cells.text) -> Column:
    return Column(f"customer_requisites.{name}", (ru, en), read, examples=examples)


CUSTOMERS = Sheet(
    "customers",
    ("Заказчики", "Customers"),
    (
        ACCOUNT,
        Column("customer_name", ("Название", "Name"), required=True, examples=("ООО «Пример»", "ИП Образцов О. О.")),
        Column(
            "contract_number",
            ("Номер договора", "Contract number"),
            required=True,
            hint=("Формат ячейки — текст, чтобы не потерять нули", "Format the cell as text, so that no zero is lost"),
            examples=("007/26", "12-А"),
        ),
        Column(
            "contract_date",
            ("Дата договора", "Contract date"),
            cells.day,
            True,
            _DAY_HINT,
            examples=("15.01.2026", "01.02.2026"),
        ),
        _requisite("inn", "ИНН", "INN", "7701234560", "", read=cells.digits_of(10, 12)),
        _requisite("kpp", "КПП", "KPP", "773601001", "", read=cells.digits_of(9)),
        _requisite("address", "Адрес", "Address", "117312, Москва, ул. Вавилова, д. 19"),
        _requisite("bank_details", "Банковские реквизиты", "Bank details"),
        _requisite("signatory_position", "Должность подписанта", "Signatory's position", "Генеральный директор"),
        _requisite("signatory_name", "ФИО подписанта", "Signatory's name", "Петров Пётр Петрович"),
        _requisite("signatory_authority", "Основание полномочий", "Signatory's authority", "Устав"),
    ),
)

PACKAGES = Sheet(
    "packages",
    ("Пакеты", "Packages"),
    (
        ACCOUNT,
        Column(
            "package_id", ("Код пакета", "Package id"), cells.identifier, True, examples=("example-p1", "example-p2")
        ),
        Column(
            "plan", ("Тариф", "Plan"), cells.identifier, True, offered=(PLANS, PLANS), examples=("hours-50", "hours-20")
        ),
        Column(
            "purchased_at",
            ("Куплен", "Bought"),
            cells.moment,
            True,
            _MOMENT_HINT,
            examples=("20.01.2026", "01.03.2026"),
        ),
        Column(
            "agreed.minutes",
            ("Остаток, часов", "Hours left"),
            cells.hours,
            hint=(
                "Сколько осталось на день переноса; пусто — весь тариф. Задачи до этого дня тогда не нужны",
                "What is left on the day of takeover; empty: all of the plan. Earlier tasks are then left out",
            ),
            examples=("12,5", ""),
        ),
        Column(
            "agreed.price_kopecks",
            ("Стоимость остатка, ₽", "Price of what is left, ₽"),
            cells.money,
            hint=("Пусто — по цене часа тарифа", "Empty: by the plan's price of an hour"),
        ),
        Column("agreed.ends_on", ("Последний день", "Last day"), cells.day, hint=_AGREED, examples=("31.12.2026", "")),
        Column("agreed.reason", ("Почему условия особые", "Why it was agreed"), hint=_AGREED),
        Column(
            "carry_over",
            ("Принимает остаток прежнего", "Takes over the rest of the one before"),
            cells.truth,
            hint=("Пусто — да", "Empty: yes"),
            offered=(("да", "нет"), ("yes", "no")),
        ),
    ),
)

TASKS = Sheet(
    "tasks",
    ("Задачи", "Tasks"),
    (
        ACCOUNT,
        Column("task_id", ("Код задачи", "Task id"), cells.identifier, True, examples=("example-t1", "example-t2")),
        Column("title", ("Название", "Title"), required=True, examples=("Настройка прав", "Отчёт по складу")),
        Column(
            "category",
            ("Категория", "Category"),
            cells.one_of(CATEGORIES),
            hint=("Пусто — обычная", "Empty: regular"),
            offered=(
                ("обычная", "срочная", "нерабочее время", "срочная в нерабочее время", "гарантия"),
                ("regular", "urgent", "off hours", "urgent off hours", "warranty"),
            ),
            examples=("", ""),
        ),
        Column(
            "worked_minutes",
            ("Отработано, часов", "Hours worked"),
            cells.hours,
            True,
            _HOURS_HINT,
            examples=("1,5", "0:40"),
        ),
        Column("started_at", ("Начата", "Started"), cells.moment, hint=_MOMENT_HINT),
        Column(
            "closed_at",
            ("Закрыта", "Closed"),
            cells.moment,
            True,
            _MOMENT_HINT,
            examples=("05.03.2026 14:30", "06.03.2026"),
        ),
        Column(
            "confirmed_at",
            ("Подтверждена", "Confirmed"),
            cells.moment,
            True,
            _MOMENT_HINT,
            examples=("05.03.2026 16:00", "06.03.2026"),
        ),
        Column("confirmed_by", ("Кто подтвердил", "Confirmed by"), examples=("Анна Петрова",)),
        Column(
            "urgency_agreed_at",
            ("Срочность согласована", "Urgency agreed"),
            cells.moment,
            hint=("Для срочных, до начала", "For urgent work, before it starts"),
        ),
        Column(
            "off_hours_requested_at",
            ("Нерабочее время запрошено", "Off-hours requested"),
            cells.moment,
            hint=("Для нерабочего времени, до начала", "For off-hours, before it starts"),
        ),
        Column(
            "kind",
            ("Вид", "Kind"),
            cells.one_of(WORK_KINDS),
            hint=("Пусто — работа", "Empty: work"),
            offered=(("работа", "ТЗ"), ("work", "specification")),
        ),
        Column(
            "package_use_agreed_at", ("ТЗ из пакета согласовано", "Specification from the package agreed"), cells.moment
        ),
    ),
)

RECIPIENTS = Sheet(
    "recipients",
    ("Получатели", "Recipients"),
    (
        ACCOUNT,
        Column(
            "address",
            ("Адрес e-mail", "E-mail address"),
            cells.identifier,
            True,
            examples=("buh@example.com", "boss@example.com"),
        ),
        Column(
            "kinds",
            ("Документы", "Documents"),
            cells.some_of(DOCUMENTS),
            hint=(
                "Через запятую: отчёт, акт, УПД; пусто — отчёт и акт",
                "With commas: report, act, UPD; empty: report and act",
            ),
            examples=("отчёт, акт, УПД", ""),
        ),
        Column(
            "lang",
            ("Язык", "Language"),
            cells.one_of(LANGUAGES),
            hint=("Пусто — ru", "Empty: ru"),
            offered=(("ru", "en"), ("ru", "en")),
        ),
        Column(
            "effective_on",
            ("Действует с", "From"),
            cells.day,
            hint=("Пусто — с даты договора", "Empty: from the contract's date"),
        ),
    ),
)

SHEETS = (CUSTOMERS, PACKAGES, TASKS, RECIPIENTS)
