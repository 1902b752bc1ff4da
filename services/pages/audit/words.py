"""What the auditor's pages say; events themselves are told by `services.documents.story`."""

from services.pages.words import Words

WORDS: Words = {
    "menu_audit": ("Аудит", "Audit"),
    "audit_title": ("Журнал событий", "The log of events"),
    "audit_state": ("Что подписано", "What is signed"),
    "audit_log": ("Журнал", "Log"),
    "audit_events": ("Событий", "Events"),
    "audit_signed": ("Подписано", "Signed"),
    "audit_signed_at": ("Когда", "When"),
    "audit_witnesses": ("Свидетели", "Witnesses"),
    "audit_no_witness": ("нет", "none"),
    "audit_unsigned": ("ещё не подписан", "not signed yet"),
    "audit_state_hint": (
        "Полную проверку делает процесс аудита раз в день; что он нашёл, видно в обслуживании и в /health/details.",
        "The auditor's process verifies everything once a day; operators see what it finds, in /health/details too.",
    ),
    "audit_account": ("Заказчик (id)", "Customer (id)"),
    "audit_type": ("Событие", "Event"),
    "audit_any": ("любое", "any"),
    "audit_on": ("Записано в день", "Recorded on"),
    "audit_after": ("После места", "After position"),
    "audit_position": ("Место", "Position"),
    "audit_recorded": ("Записано", "Recorded"),
    "audit_what": ("Что произошло", "What happened"),
    "audit_who": ("Кто", "By"),
    "audit_replay": ("баланс по шагам", "balance step by step"),
    "audit_none": ("Таких событий нет.", "There are no such events."),
    "audit_unreadable": (
        "Событие {type} эта версия не читает: выгрузите журнал и проверьте verify.py.",
        "This version does not read the event {type}: export the log and check it with verify.py.",
    ),
    "audit_story": ("Баланс по шагам", "A balance step by step"),
    "audit_story_lead": (
        "Баланс сложен из одних событий, без проекций: каким он был в тот момент, и как это становилось известно.",
        "The balance is added up from events alone, without projections: that of the instant, as it came to be known.",
    ),
    "audit_as_of": ("На конец дня", "At the end of"),
    "audit_known_at": ("По записям до (место или момент)", "As known at (position or instant)"),
    "audit_change": ("Изменение, ч", "Change, h"),
    "audit_balance": ("Баланс, ч", "Balance, h"),
    "audit_result": (
        "Баланс {balance}: в пакетах {held}, долг {owed}.",
        "Balance {balance}: in packages {held}, owed {owed}.",
    ),
    "audit_access": ("История доступа", "History of access"),
    "audit_access_lead": (
        "Ключи, роли, двери и прейскуранты: журнал -1, подписанный так же, как журналы событий.",
        "Keys, roles, the door and price lists: log -1, signed as those of events are.",
    ),
    "audit_subject": ("О ком", "Of whom"),
    "audit_exports": ("Выгрузки", "Exports"),
    "audit_exports_lead": (
        "Выгрузка проверяется без сервера: первая — программой verify.py, вторая — любым браузером.",
        "An export is verified without the server: the first by the program verify.py, the second by any browser.",
    ),
    "said_DoorOpened": ("Дверь открыта: ключи не нужны", "The door was opened: no keys are needed"),
    "said_DoorClosed": ("Дверь закрыта: каждый показывает ключ", "The door was closed: everybody shows a key"),
    "said_KeyMade": (
        "Выдан ключ: роли {roles}; заказчики: {accounts}",
        "A key was made: roles {roles}; customers: {accounts}",
    ),
    "said_KeyRotated": (
        "Ключ обновлён, прежний секрет действует до {until}",
        "The key was rotated; its earlier secret works until {until}",
    ),
    "said_KeyRevoked": ("Ключ отозван: {reason}", "The key was revoked: {reason}"),
    "said_PersonAdmitted": (
        "Вошёл человек: роли {roles}; заказчики: {accounts}",
        "A person was admitted: roles {roles}; customers: {accounts}",
    ),
    "said_NamesErased": ("Удалены имена ({erased}): {reason}", "Names were erased ({erased}): {reason}"),
    "said_NamesRead": ("Прочитаны имена людей; заказчик: {account}", "Names of people were read; customer: {account}"),
    "said_ExportMade": ("Прочитан журнал; заказчик: {account}", "The log was read; customer: {account}"),
    "said_TermsPublished": ("Опубликован прейскурант «{name}»", "The price list “{name}” was published"),
    "audit_all_accounts": ("все", "all"),
}
