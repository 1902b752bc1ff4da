"""What documents say, in Russian and in English: one line an expression, so that neither language can lack one."""

from services.documents.numerals import Lang

_WORDS = {
    # both documents
    "seller": ("Исполнитель", "Contractor"),
    "customer": ("Заказчик", "Customer"),
    "contract": ("Договор", "Contract"),
    "from": ("от", "of"),
    "inn": ("ИНН", "INN"),
    "kpp": ("КПП", "KPP"),
    "number": ("№", "No."),
    "page": ("стр.", "page"),
    "of_pages": ("из", "of"),
    "hours": ("Часы", "Hours"),
    "hours_unit": ("ч", "h"),
    "minutes": ("Минуты", "Minutes"),
    "exact": ("ч:мм", "h:mm"),
    "amount": ("Сумма", "Amount"),
    "total": ("Итого", "Total"),
    "package": ("Пакет", "Package"),
    # the report
    "report": ("Отчёт о выполненных задачах", "Report of completed tasks"),
    "for_month": ("за", "for"),
    "report_draft": ("ЧЕРНОВИК", "DRAFT"),
    "report_draft_why": (
        "Месяц не закрыт: данные могут измениться.",
        "The month is still open: the figures may change.",
    ),
    "balance": ("Движение часов", "Hours at a glance"),
    "opening_balance": ("Остаток на начало месяца", "Opening balance"),
    "closing_balance": ("Остаток на конец месяца", "Closing balance"),
    "purchased": ("Приобретено", "Purchased"),
    "paid_minutes": ("Долг оплачен деньгами", "Debt paid in money"),
    "charged_total": ("Принято к учёту по задачам", "Charged for tasks"),
    "forfeited_total": ("Сгорело по окончании срока", "Forfeited at expiry"),
    "within": ("В пределах остатка", "Within the balance"),
    "corrected_total": ("в том числе корректировки", "of which corrections"),
    "settled_total": ("погашено долга часами", "debt settled by hours"),
    "carried_total": ("перенесено в новые пакеты", "carried over to new packages"),
    "compensated_total": ("возвращено компенсацией", "given back as compensation"),
    "tasks": ("Задачи месяца", "Tasks of the month"),
    "no_tasks": ("В этом месяце задач не закрыто.", "No tasks were closed this month."),
    "corrections": ("Корректировки прежних месяцев", "Corrections of earlier months"),
    "settlements": ("Оплата задач прежних месяцев", "Payment for tasks of earlier months"),
    "all_lines": ("Всего за месяц", "Total for the month"),
    "day": ("Дата", "Date"),
    "task": ("Задача", "Task"),
    "task_id": ("Номер задачи", "Task ID"),
    "title": ("Наименование", "Title"),
    "category": ("Категория", "Category"),
    "coefficient": ("К", "K"),
    "worked": ("Отработано", "Worked"),
    "charged": ("К учёту", "Charged"),
    "worked_hours": ("Отработано, ч", "Worked, h"),
    "worked_minutes": ("Отработано, мин", "Worked, min"),
    "charged_hours": ("К учёту, ч", "Charged, h"),
    "charged_minutes": ("К учёту, мин", "Charged, min"),
    "drawn_from": ("из пакетов", "from packages"),
    "closure": ("закрытие", "closing"),
    "purchases": ("Приобретённые пакеты и компенсации", "Packages bought and compensations"),
    "carried_over": ("Перенос часов", "Hours carried over"),
    "forfeited": ("Сгоревшие часы", "Hours forfeited"),
    "settled": ("Долг, погашенный часами", "Debt settled by hours"),
    "paid": ("Долг, оплаченный деньгами", "Debt paid in money"),
    "valid_until": ("действует по", "valid until"),
    "reclaimed": ("возвращены из сгоревших", "reclaimed from forfeited"),
    "payment": ("платёж", "payment"),
    "movement": ("Операция", "Movement"),
    "details": ("Подробности", "Details"),
    "compensation": ("Компенсация", "Compensation"),
    "rounding": (
        "Часы округлены до сотых так, что строки сходятся с итогом; рядом — точное время (ч:мм).",
        "Hours are rounded to hundredths so that the lines add up to the total; the exact time (h:mm) stands beside.",
    ),
    "as_recorded": ("по записи журнала № ", "as of log position "),
    "regular": ("Обычная", "Regular"),
    "urgent": ("Срочная", "Urgent"),
    "off_hours": ("Вне рабочего времени", "Off hours"),
    "urgent_off_hours": ("Срочная, вне рабочего времени", "Urgent, off hours"),
    "warranty": ("Гарантийная", "Warranty"),
    "packages": ("Из пакетов", "From packages"),
    "origin": ("Составлен", "Made"),
    "sheet_report": ("Отчёт", "Report"),
    "sheet_tasks": ("Задачи", "Tasks"),
    "sheet_corrections": ("Корректировки", "Corrections"),
    "sheet_settlements": ("Оплата прежних", "Earlier tasks"),
    "sheet_movements": ("Пакеты и долг", "Packages and debt"),
    # the act
    "act": ("Акт", "Act"),
    "act_subject": ("об оказании услуг", "of services rendered"),
    "act_draft": ("ПРОЕКТ", "DRAFT"),
    "act_draft_why": (
        "Месяц не закрыт: акт не является первичным учётным документом.",
        "The month is still open: this is not a primary accounting document.",
    ),
    "ground": ("Основание", "Basis"),
    "period": ("Период оказания услуг", "Period of service"),
    "address": ("Адрес", "Address"),
    "bank_details": ("Банковские реквизиты", "Bank details"),
    "statement": (
        "Исполнитель оказал, а Заказчик принял по указанному договору следующие услуги:",
        "Under this contract the Contractor has rendered, and the Customer has accepted, the following services:",
    ),
    "correction_statement": (
        "Стороны уточняют принятые ранее по указанному договору услуги:",
        "The parties correct the services accepted earlier under this contract:",
    ),
    "service": ("Услуга", "Service"),
    "unit": ("Ед. изм.", "Unit"),
    "quantity": ("Кол-во", "Quantity"),
    "hour_price": ("Цена", "Price"),
    "work_by_package": (
        "Выполнение работ по заявкам Заказчика в счёт пакета часов",
        "Work on the Customer's requests, drawn from the package of hours",
    ),
    "work_by_compensation": (
        "Выполнение работ по заявкам Заказчика в счёт компенсации часов",
        "Work on the Customer's requests, drawn from the compensation of hours",
    ),
    "work_paid": (
        "Выполнение работ по заявкам Заказчика сверх пакетов часов",
        "Work on the Customer's requests beyond the packages of hours",
    ),
    "no_services": ("Услуги в этом периоде не оказывались.", "No services were rendered in this period."),
    "vat_none": ("НДС не облагается", "Not subject to VAT"),
    "vat_row": ("в том числе НДС {rate}\N{NO-BREAK SPACE}%", "including VAT {rate}%"),
    "total_hours": ("Всего оказано услуг", "Services rendered in total"),
    "total_amount": ("На сумму", "In the amount of"),
    "acceptance": (
        "Услуги оказаны полностью и в срок. Заказчик претензий по объёму, качеству и срокам оказания услуг не имеет.",
        "The services were rendered in full and on time. The Customer has no claims as to extent, quality or timing.",
    ),
    "act_rounding": (
        "Сумма исчислена по точному времени (ч:мм) и цене пакета; количество часов округлено до сотых.",
        "Amounts follow from the exact time (h:mm) and the package's price; hours are rounded to hundredths.",
    ),
    "position": ("должность", "position"),
    "signature": ("подпись", "signature"),
    "name": ("фамилия, инициалы", "name"),
    "authority": ("Действует на основании", "Acting on the basis of"),
    "stamp": ("М. П. (при наличии)", "Seal (if any)"),
}

_MONTHS = (
    ("январь", "января", "January"),
    ("февраль", "февраля", "February"),
    ("март", "марта", "March"),
    ("апрель", "апреля", "April"),
    ("май", "мая", "May"),
    ("июнь", "июня", "June"),
    ("июль", "июля", "July"),
    ("август", "августа", "August"),
    ("сентябрь", "сентября", "September"),
    ("октябрь", "октября", "October"),
    ("ноябрь", "ноября", "November"),
    ("декабрь", "декабря", "December"),
)


def words(lang: Lang) -> dict[str, str]:
    """Every expression in one language."""
    return {key: both[lang == "en"] for key, both in _WORDS.items()}


def month_name(number: int, lang: Lang) -> str:
    """The month by itself: `март`, `March`."""
    return _MONTHS[number - 1][2 if lang == "en" else 0]


def month_name_of(number: int, lang: Lang) -> str:
    """The month after a day: `31 марта`, `31 March`."""
    return _MONTHS[number - 1][2 if lang == "en" else 1]
