"""What invoices say, in Russian and in English."""

INVOICE_WORDS = {
    "invoice": ("Счёт на оплату", "Invoice"),
    "payee": ("Получатель", "Payee"),
    "payee_bank": ("Банк получателя", "Payee's bank"),
    "bic": ("БИК", "BIC"),
    "account": ("Счёт №", "Account No."),
    "correspondent_account": ("Корр. счёт №", "Correspondent account No."),
    "supplier": ("Поставщик", "Supplier"),
    "payer": ("Плательщик", "Payer"),
    "goods": ("Услуга", "Service"),
    "invoiced_package": ("Пакет часов технической поддержки: {size}", "Package of support hours: {size}"),
    "invoiced_until": ("срок действия {through}", "valid {through}"),
    "invoiced_task": ("Работы сверх пакетов часов, задача {task}", "Work beyond the packages of hours, task {task}"),
    "to_pay": ("Всего к оплате", "Total to pay"),
    "to_pay_count": (
        "Всего наименований {count}, на сумму {amount}",
        "{count} items in total, in the amount of {amount}",
    ),
    "purpose": ("Назначение платежа", "Payment purpose"),
    "valid_until": (
        "Счёт действителен {through}. В назначении платежа укажите номер счёта.",
        "This invoice is valid {through}. Name its number in the payment purpose.",
    ),
    "pay_by_code": ("Оплата по QR-коду в приложении банка", "Pay by this code in the bank's application"),
    "as_agreed": ("по договорённости", "as agreed"),
    "sheet_invoice": ("Счёт", "Invoice"),
}
