"""An alert in one sentence that a support manager can read out to the customer."""

from datetime import datetime

from contracts.alerts import AlertDetails, AlertKind, AlertText
from contracts.quantities import decimal_hours
from services.documents.formats import Formats
from services.documents.numerals import Lang

_OPEN: dict[AlertKind, AlertText] = {
    "debt": AlertText(
        ru="Долг {debt} ч: выполнено больше, чем куплено часов.",
        en="{debt} h of debt: more work was done than hours were bought.",
    ),
    "low_balance": AlertText(
        ru="Баланс {balance} ч, порог предупреждения — {threshold} ч.",
        en="The balance is {balance} h; customers are warned at {threshold} h.",
    ),
    "overplanned": AlertText(
        ru="Запланировано {planned} ч, а баланс {balance} ч: не хватает {short} ч.",
        en="{planned} h are planned and the balance is {balance} h: {short} h are missing.",
    ),
    "expiring": AlertText(
        ru="Купите пакет {through}, иначе сгорят {at_risk} ч ({money}).",
        en="Buy a package {through} or lose {at_risk} h ({money}).",
    ),
    "suspended": AlertText(ru="Работа приостановлена: {reason}", en="Work is suspended: {reason}"),
}
_CLOSED: dict[AlertKind, AlertText] = {
    "debt": AlertText(ru="Долга больше нет.", en="The debt is gone."),
    "low_balance": AlertText(
        ru="Баланс снова выше порога {threshold} ч.", en="The balance is above {threshold} h again."
    ),
    "overplanned": AlertText(ru="Запланированному хватает часов.", en="There are hours for all that is planned."),
    "expiring": AlertText(ru="Часам больше не грозит скоро сгореть.", en="No hours are about to expire any more."),
    "suspended": AlertText(ru="Работа возобновлена.", en="Work has been resumed."),
}
_LOST = AlertText(
    ru="Сгорели {at_risk} ч ({money}): они действовали {through}.",
    en="{at_risk} h ({money}) were lost: they were valid {through}.",
)
_DEBT_NOW = AlertText(
    ru="Часов больше нет: теперь это долг, {debt} ч.", en="There are no hours left: it is debt now, {debt} h."
)


def sentence(kind: AlertKind, details: AlertDetails, closed_at: datetime | None) -> AlertText:
    """What the alert says, in both languages."""
    text = _CLOSED[kind] if closed_at else _OPEN[kind]
    if closed_at and details.ends_at and closed_at >= details.ends_at:
        text = _LOST
    if closed_at and kind in ("low_balance", "overplanned") and (details.balance_minutes or 0) < 0:
        text = _DEBT_NOW
    return AlertText(ru=text.ru.format_map(_said(details, "ru")), en=text.en.format_map(_said(details, "en")))


def _said(details: AlertDetails, lang: Lang) -> dict[str, str]:
    formats = Formats(lang)

    def hours(minutes: int | None) -> str:
        return formats.hours(decimal_hours(minutes or 0))

    return {
        "debt": hours(-(details.balance_minutes or 0)),
        "balance": hours(details.balance_minutes),
        "threshold": hours(details.threshold_minutes),
        "planned": hours(details.planned_minutes),
        "short": hours(-(details.available_minutes or 0)),
        "at_risk": hours(details.minutes_at_risk),
        "money": formats.money(details.amount_kopecks_at_risk or 0),
        "through": formats.through(details.ends_at) if details.ends_at else "",
        "reason": details.reason or "",
    }
