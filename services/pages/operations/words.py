"""What the page of operations says."""

from services.pages.words import Words

WORDS: Words = {
    "menu_operations": ("Обслуживание", "Operations"),
    "operations_title": ("Как всё работает", "How everything works"),
    "operations_ready": ("Всё работает.", "Everything works."),
    "operations_not_ready": ("Часть не работает.", "Some of it does not work."),
    "operations_parts": ("Части", "Parts"),
    "operations_part": ("Часть", "Part"),
    "operations_state": ("Состояние", "State"),
    "operations_since": ("С", "Since"),
    "operations_works": ("работает", "works"),
    "operations_fails": ("не работает", "does not work"),
    "part_commands": ("Запись команд", "Recording of commands"),
    "part_checkpoints": ("Подпись контрольных точек", "Signing of checkpoints"),
    "part_expiry": ("Сгорание и перенос часов", "Expiry and carry-over of hours"),
    "part_relay": ("Передача журнала в NATS", "Relay of the log to NATS"),
    "part_audit": ("Проверка журнала", "Verification of the log"),
    "part_queries": ("Запросы", "Queries"),
    "part_alerts": ("Сигналы", "Alerts"),
    "part_documents": ("Документы", "Documents"),
    "part_billing": ("Счета и отправка", "Invoices and sending"),
    "operations_notices": ("Что предстоит сделать", "What is to be done in time"),
    "operations_projections": ("Проекции", "Projections"),
    "operations_projection": ("Проекция", "Projection"),
    "operations_log": ("Журнал", "Log"),
    "operations_position": ("Дошла до события", "At event"),
    "operations_lag": ("Отстаёт на", "Behind by"),
    "operations_seconds": ("Секунд", "For seconds"),
    "operations_halted_accounts": ("Остановлено счетов", "Accounts halted"),
    "operations_halted": ("остановлена", "halted"),
    "operations_rebuild": ("Перестроить проекцию", "Rebuilding a projection"),
    "operations_rebuild_lead": (
        (
            "Проекция строится из журнала заново рядом с действующей, сверяется с ней и встаёт на её место; запросы "
            "тем временем отвечают. На машине Hourbook:"
        ),
        (
            "A projection is built anew from the log beside the live one, compared with it and put in its place; "
            "queries go on meanwhile. On Hourbook's machine:"
        ),
    ),
    "operations_logs": ("Журналы", "Logs"),
    "operations_relayed": ("Ещё не в NATS", "Not on NATS yet"),
    "operations_signed": ("Подписано событий", "Events under a checkpoint"),
    "operations_unsigned": ("Без подписи, с", "Unsigned for, s"),
    "operations_verified": ("Проверено событий", "Events verified"),
    "operations_faults": ("Найдено нарушений", "Faults found"),
    "operations_overdue": ("Сгорание опаздывает, с", "Expiry late by, s"),
    "operations_access_log": ("доступа", "of access"),
}
