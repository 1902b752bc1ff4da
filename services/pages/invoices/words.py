"""What the pages of a customer's invoices say."""

from services.pages.words import Words

WORDS: Words = {
    "invoices": ("Счета", "Invoices"),
    "invoices_none": ("Счетов ещё не было.", "No invoice was issued yet."),
    "invoices_earlier": ("Более ранние", "Earlier ones"),
    "invoices_all": ("Все счета", "All invoices"),
    "invoice_for": ("За что", "For"),
    "invoice_of_package": ("Пакет {package}, {plan}", "Package {package}, {plan}"),
    "invoice_of_debt": ("Долг {hours}", "Debt of {hours}"),
    "invoice_issue": ("Выставить", "Issue"),
    "invoice_tried": (
        "Ещё ничего не выставлено. Вот что будет в счёте:",
        "Nothing is issued yet. The invoice would say:",
    ),
    "invoice_lines": ("Строки счёта", "Lines of the invoice"),
    "invoice_payer": ("Плательщик", "Payer"),
    "invoice_vat": ("В том числе НДС", "VAT contained"),
    "invoice_no_vat": ("без НДС", "no VAT"),
    "invoice_withdraw": ("Отозвать счёт", "Withdraw an invoice"),
    "invoice_not_withdrawn": ("Счёт не отозван.", "The invoice was not withdrawn."),
    "form_invoice_package": ("Выставить счёт за пакет", "Invoice a package"),
    "form_invoice_debt": ("Выставить счёт за долг", "Invoice a debt"),
    "field_package_package_id": ("Номер пакета", "Package id"),
    "field_package_plan": ("Пакет", "Plan"),
    "field_package_carry_over": ("Принимает остаток прежнего пакета", "Takes over what is left of the package before"),
    "field_package_agreed_minutes": ("Особый объём, минут", "Agreed size, minutes"),
    "field_package_agreed_price_kopecks": ("Особая цена, ₽", "Agreed price, ₽"),
    "field_package_agreed_ends_on": ("Особый последний день", "Agreed last day"),
    "field_package_agreed_reason": ("Почему условия особые", "Why it was agreed"),
    "field_debt_minutes": ("Минут долга; пусто — весь долг", "Minutes of the debt; empty: all of it"),
    "field_valid_days": ("Действует, дней", "Valid, days"),
}
