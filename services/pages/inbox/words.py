"""What the first page says."""

from services.pages.words import Words

WORDS: Words = {
    "menu_inbox": ("Входящие", "Inbox"),
    "inbox_title": ("Что требует внимания", "What needs attention"),
    "inbox_alerts": ("Сигналы", "Alerts"),
    "inbox_nothing": ("Всё спокойно: открытых сигналов нет.", "All is calm: no alert is open."),
    "inbox_more": ("Показаны первые {count} сигналов.", "The first {count} alerts are shown."),
    "inbox_customer": ("Заказчик", "Customer"),
    "inbox_alert": ("Что случилось", "What has happened"),
    "inbox_since": ("С", "Since"),
    "inbox_at_stake": ("Часы, которые сгорят", "Hours about to be lost"),
    "inbox_at_stake_total": (
        "Без новых пакетов сгорит {hours} на {money}.",
        "Without new packages {hours} worth {money} will be lost.",
    ),
    "inbox_last_day": ("Купить не позже", "Buy by"),
    "inbox_hours": ("Часы", "Hours"),
    "inbox_money": ("Деньги", "Money"),
    "inbox_total": ("Всего", "In all"),
    "inbox_months": ("Месяцы к закрытию", "Months to close"),
    "inbox_month": (
        "{month}: не закрыт у {open} из {all} заказчиков.",
        "{month}: open for {open} of {all} customers.",
    ),
    "inbox_months_done": ("Все оконченные месяцы закрыты.", "Every month that is over is closed."),
    "inbox_waiting": ("Что ждёт решения", "What waits for a decision"),
    "inbox_payments": ("Платежи из банка: {count}", "Payments from the bank: {count}"),
    "inbox_undecided": (
        "Исправить в портале: {count}",
        "Tasks to be put right in the portal: {count}",
    ),
    "inbox_proposed": ("Предложения по задачам портала: {count}", "Proposals for tasks of the portal: {count}"),
    "inbox_refused": (
        "Задачи портала, где учёт отказал: {count}",
        "Tasks of the portal that were refused: {count}",
    ),
    "inbox_parts": ("Что не работает", "What does not work"),
    "inbox_halted": ("{name} остановлена: {reason}", "{name} has halted: {reason}"),
    "inbox_halted_accounts": (
        "{name}: показатели {count} заказчиков стоят на месте.",
        "{name}: the figures of {count} customers stand still.",
    ),
    "inbox_counts": ("Сводка", "Summary"),
    "alert_debt": ("Долг", "Debt"),
    "alert_low_balance": ("Мало часов", "Low balance"),
    "alert_overplanned": ("Запланировано больше остатка", "Planned beyond the balance"),
    "alert_expiring": ("Часы сгорят", "Hours about to expire"),
    "alert_suspended": ("Работы приостановлены", "Work suspended"),
}
