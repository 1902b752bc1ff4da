"""What the page of recipients says."""

from services.pages.words import Words

WORDS: Words = {
    "field_recipients": ("Получатели", "Recipients"),
    "recipients": ("Получатели документов", "Recipients of documents"),
    "recipients_lead": (
        "Кому отправлять документы закрытых месяцев. Новый список с указанного дня целиком заменяет прежний.",
        "Who is sent the documents of closed months. A new list replaces all of the one before from that day on.",
    ),
    "recipients_since": ("Действует с", "From"),
    "recipients_address": ("Адрес e-mail", "E-mail address"),
    "recipients_address_of": ("Адрес {number}", "Address {number}"),
    "recipients_kinds": ("Документы", "Documents"),
    "recipients_kind_report": ("отчёт", "report"),
    "recipients_kind_act": ("акт", "act"),
    "recipients_kind_upd": ("УПД", "UPD"),
    "recipients_lang": ("Язык", "Language"),
    "recipients_lang_of": ("Язык писем на адрес {number}", "Language of messages to address {number}"),
    "recipients_kind_of": ("{kind} на адрес {number}", "{kind} to address {number}"),
    "recipients_hint": (
        "Строки без адреса не учитываются. После сохранения появятся новые пустые строки.",
        "Rows without an address do not count. Once the list is saved there are new empty rows.",
    ),
    "recipients_save": ("Сохранить список", "Save the list"),
    "recipients_saved": ("Список сохранён.", "The list is saved."),
    "recipients_wrong": ("Список не сохранён.", "The list is not saved."),
    "recipients_lists": ("Все списки", "All lists"),
    "recipients_list_from": ("С {day}; записан {recorded}, {actor}", "From {day}; recorded {recorded}, {actor}"),
    "recipients_nobody": ("Никому.", "Nobody."),
    "recipients_erased": ("адрес удалён", "the address was erased"),
    "recipients_none": ("Получателей ещё не называли.", "Nobody was named yet."),
}
