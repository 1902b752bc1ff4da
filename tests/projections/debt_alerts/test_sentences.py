"""What an alert says to people, in both languages."""

import pytest

from contracts.alerts import AlertDetails, AlertKind
from services.projections.debt_alerts.sentences import sentence
from tests.projections.vocabulary import moment

DEBT = AlertDetails(balance_minutes=-450)
LOW = AlertDetails(balance_minutes=90, threshold_minutes=120)
OVERDRAWN = AlertDetails(balance_minutes=-30, threshold_minutes=120)
EXPIRING = AlertDetails(minutes_at_risk=450, amount_kopecks_at_risk=1_942_500, ends_at=moment("2026-03-12"))
PLANNED = AlertDetails(balance_minutes=600, planned_minutes=690, available_minutes=-90)
PLANNED_IN_DEBT = AlertDetails(balance_minutes=-30, planned_minutes=690, available_minutes=-90)
SUSPENDED = AlertDetails(reason="задолженность")


@pytest.mark.parametrize(
    ("kind", "details", "closed", "ru", "en"),
    [
        ("debt", DEBT, None, "Долг 7,50 ч: выполнено больше, чем куплено часов.",
         "7.50 h of debt: more work was done than hours were bought."),
        ("debt", DEBT, "2026-03-01", "Долга больше нет.", "The debt is gone."),
        ("low_balance", LOW, None, "Баланс 1,50 ч, порог предупреждения — 2,00 ч.",
         "The balance is 1.50 h; customers are warned at 2.00 h."),
        ("low_balance", LOW, "2026-03-01", "Баланс снова выше порога 2,00 ч.", "The balance is above 2.00 h again."),
        ("low_balance", OVERDRAWN, "2026-03-01", "Часов больше нет: теперь это долг, 0,50 ч.",
         "There are no hours left: it is debt now, 0.50 h."),
        ("overplanned", PLANNED, None, "Запланировано 11,50 ч, а баланс 10,00 ч: не хватает 1,50 ч.",
         "11.50 h are planned and the balance is 10.00 h: 1.50 h are missing."),
        ("overplanned", PLANNED, "2026-03-01", "Запланированному хватает часов.",
         "There are hours for all that is planned."),
        ("overplanned", PLANNED_IN_DEBT, "2026-03-01", "Часов больше нет: теперь это долг, 0,50 ч.",
         "There are no hours left: it is debt now, 0.50 h."),
        ("expiring", EXPIRING, None,
         "Купите пакет по 11 марта 2026 г. включительно, иначе сгорят 7,50 ч (19 425,00 ₽).",
         "Buy a package through 11 March 2026 or lose 7.50 h (19,425.00 ₽)."),
        ("expiring", EXPIRING, "2026-03-11", "Часам больше не грозит скоро сгореть.",
         "No hours are about to expire any more."),
        ("expiring", EXPIRING, "2026-03-12",
         "Сгорели 7,50 ч (19 425,00 ₽): они действовали по 11 марта 2026 г. включительно.",
         "7.50 h (19,425.00 ₽) were lost: they were valid through 11 March 2026."),
        ("suspended", SUSPENDED, None, "Работа приостановлена: задолженность", "Work is suspended: задолженность"),
        ("suspended", SUSPENDED, "2026-03-01", "Работа возобновлена.", "Work has been resumed."),
    ],
)  # fmt: skip
def test_a_sentence(kind: AlertKind, details: AlertDetails, closed: str | None, ru: str, en: str):
    text = sentence(kind, details, moment(closed) if closed else None)
    assert text.ru.replace("\N{NO-BREAK SPACE}", " ") == ru
    assert text.en.replace("\N{NO-BREAK SPACE}", " ") == en
