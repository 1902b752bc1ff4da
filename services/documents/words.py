"""What documents say, in Russian and in English: one line an expression, so that neither language can lack one."""

from services.documents.invoice_words import INVOICE_WORDS
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
    "refunded_total": ("Возвращено деньгами", "Refunded in money"),
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
    "corrects_closing": ("вместо закрытия {closure}", "in place of closing {closure}"),
    "corrected_by": ("исправлено закрытием {closure}", "corrected by closing {closure}"),
    "line_owed": ("в долг {time}", "owed {time}"),
    "refunds": ("Возврат денег за остаток", "Refunds of what was left"),
    "refund": ("возврат {reference}", "refund {reference}"),
    "retained": ("удержано {money}", "kept {money}"),
    "specification": ("подготовка ТЗ", "specification"),
    "estimate": ("оценка", "estimate"),
    "estimated_minutes": ("Оценка, мин", "Estimate, min"),
    "purchases": ("Приобретённые пакеты и компенсации", "Packages bought and compensations"),
    "carried_over": ("Перенос часов", "Hours carried over"),
    "forfeited": ("Сгоревшие часы", "Hours forfeited"),
    "settled": ("Долг, погашенный часами", "Debt settled by hours"),
    "paid": ("Долг, оплаченный деньгами", "Debt paid in money"),
    "through": ("по {day} включительно", "through {day}"),
    "agreed": ("по согласованию: {reason}", "as agreed: {reason}"),
    "valid_through": ("действует {through}", "valid {through}"),
    "reclaimed": ("возвращены из сгоревших", "reclaimed from forfeited"),
    "payment": ("платёж", "payment"),
    "operation": ("Операция", "Operation"),
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
    "packages_left": ("Остаток пакетов на конец месяца", "Packages left at the end of the month"),
    "last_day": ("Последний день", "Last day"),
    "owed_left": ("Долг", "Owed"),
    "no_packages_left": ("Часов в пакетах не осталось.", "No hours are left in packages."),
    "sheet_report": ("Отчёт", "Report"),
    "sheet_tasks": ("Задачи", "Tasks"),
    "sheet_corrections": ("Корректировки", "Corrections"),
    "sheet_settlements": ("Оплата прежних", "Earlier tasks"),
    "sheet_packages": ("Пакеты и долг", "Packages and debt"),
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
    "no_act": ("Акт не составляется", "There is no act"),
    "no_act_why": (
        "За этот месяц нет ни часов, ни денег к приёмке, поэтому акта нет и подписывать нечего.",
        "No hours and no money are to be accepted for this month, so there is no act and nothing to sign.",
    ),
    "replaces": (
        "При закрытии месяца {day} был составлен акт № {number}; настоящий акт его заменяет.",
        "When the month was closed on {day}, act No. {number} was made; this act replaces it.",
    ),
    "revision": ("Исправление", "Revision"),
    "services_of": ("Услуги за {month}", "Services of {month}"),
    "corrects": ("Корректировка к акту № {number} за {month}", "Correction to act No. {number} for {month}"),
    "hours_from_report": ("Часы акта следуют из отчёта", "The act's hours follow from the report"),
    "from_charged": ("принято к учёту", "charged"),
    "from_owed": ("записано в долг", "owed"),
    "from_settled": ("погашено прежнего долга", "earlier debt paid"),
    "from_accepted": ("принято по акту", "accepted by this act"),
    "hours_charged": ("Принято к учёту по отчёту за {month}", "Charged by the report for {month}"),
    "hours_owed": (
        "Из них в долг: войдут в акт месяца, в котором долг будет погашен",
        "Of these owed: they will stand in the act of the month that pays them",
    ),
    "hours_owed_in": (
        "Из них в долг, погашены позже: стоят в акте № {number} за {month}",
        "Of these owed and paid later: they stand in act No. {number} for {month}",
    ),
    "hours_settled": (
        "Погашен долг по отчёту за {month} (в акт № {number} эти часы не вошли)",
        "Debt paid now that the report for {month} charged (act No. {number} left it out)",
    ),
    "hours_cancelled": (
        "Снят долг по отчёту за {month} (в акт № {number} эти часы не вошли)",
        "Debt cancelled that the report for {month} charged (act No. {number} left it out)",
    ),
    "hours_cancelled_in": (
        "Из них в долг, снят позже: исправлено отчётом за {month}",
        "Of these owed and cancelled later: corrected by the report for {month}",
    ),
    "hours_accepted": ("Принято по настоящему акту", "Accepted by this act"),
    "hours_to_accept": ("К приёмке", "To be accepted"),
    "vat_none": ("НДС не облагается", "Not subject to VAT"),
    "vat_row": ("в том числе НДС {rate}\N{NO-BREAK SPACE}%", "including VAT {rate}%"),
    "vat_also": ("НДС {rate}\N{NO-BREAK SPACE}%", "VAT {rate}%"),
    "vat_total": ("Сумма с НДС {rate}\N{NO-BREAK SPACE}%", "Amount with VAT {rate}%"),
    "vat_none_total": ("Сумма без НДС", "Amount without VAT"),
    "vat_none_also": ("без НДС", "without VAT"),
    "total_hours": ("Всего оказано услуг", "Services rendered in total"),
    "total_amount": ("На сумму", "In the amount of"),
    "acceptance": (
        "Услуги оказаны полностью и в срок. Заказчик претензий по объёму, качеству и срокам оказания услуг не имеет.",
        "The services were rendered in full and on time. The Customer has no claims as to extent, quality or timing.",
    ),
    "act_rounding": (
        (
            "Сумма исчислена по точному времени (ч:мм) и цене часа; количество часов округлено до сотых, "
            "поэтому количество × цена может отличаться от суммы."
        ),
        (
            "Amounts follow from the exact time (h:mm) and the price of an hour; hours are rounded to hundredths, "
            "so quantity × price can differ from the amount."
        ),
    ),
    "act_kopecks": (
        (
            "Строки, где сумма отличается от точного времени × цену: {rows}. "
            "Все списания с пакета вместе дают ровно его цену, а каждый платёж округлён до копейки."
        ),
        (
            "Rows whose amount differs from exact time × price: {rows}. "
            "All draws on a package add up to exactly its price, and each payment is rounded to the kopeck."
        ),
    ),
    "act_prices": (
        "Строки с компенсацией за часы разных цен: {rows}. Их сумма — деньги этих часов.",
        "Rows of a compensation for hours of different prices: {rows}. Their amount is the money of those hours.",
    ),
    "act_agreed": (
        "Строки пакетов, цена которых согласована целиком: {rows}. Их сумма — доля этой цены.",
        "Rows of packages whose price was agreed as a whole: {rows}. Their amount is the share of that price.",
    ),
    "upd": ("УПД (XML) по акту", "UPD (XML) of act"),
    "upd_together": (
        "Выполнение работ по заявкам Заказчика за {month} за вычетом корректировок к актам № {acts}",
        "Work on the Customer's requests in {month}, less corrections to acts No. {acts}",
    ),
    # the takeover
    "takeover": ("Акт о переносе остатка часов", "Statement of the hours taken over"),
    "takeover_on": ("на {day}", "on {day}"),
    "takeover_plan": ("Тариф", "Plan"),
    "takeover_bought": ("Куплен", "Bought"),
    "takeover_statement": (
        "Предоплаченные часы по договору с этого дня ведёт система Исполнителя. Стороны подтверждают остаток:",
        "From this day on the prepaid hours of the contract are counted in the Seller's ledger. Both sides confirm:",
    ),
    "takeover_note": (
        "Часы расходуются из пакета, который раньше заканчивается. Долг в часах цены не имеет, пока не оплачен.",
        "Hours are taken from the package that ends first. Owed hours have no price until they are paid.",
    ),
    # the reconciliation
    "reconciliation": ("Акт сверки взаимных расчётов", "Reconciliation of accounts"),
    "sheet_reconciliation": ("Сверка", "Reconciliation"),
    "for_period": ("за период с {since} по {until}", "for the period from {since} to {until}"),
    "period_draft_why": (
        "Не все месяцы периода закрыты: данные могут измениться.",
        "Not every month of the period is closed: the figures may change.",
    ),
    "reconciliation_statement": (
        (
            "Стороны сверили взаимные расчёты по указанному договору. Дебет — исполненное Исполнителем, "
            "кредит — полученное им; часы — оплаченные и ещё не оказанные."
        ),
        (
            "The parties have reconciled their accounts under this contract. Debit is what the Contractor has "
            "rendered, credit what it has received; hours are those paid for and not rendered yet."
        ),
    ),
    "debit": ("Дебет", "Debit"),
    "credit": ("Кредит", "Credit"),
    "turnover": ("Обороты за период", "Turnover of the period"),
    "opening_account": ("Сальдо на начало", "Opening balance"),
    "closing_account": ("Сальдо на конец", "Closing balance"),
    "reconciled_purchased": ("Приобретён пакет {package}", "Package bought: {package}"),
    "reconciled_paid": ("Оплата долга деньгами, {reference}", "Debt paid in money, {reference}"),
    "reconciled_act": ("Акт № {number} за {month}", "Act No. {number} for {month}"),
    "reconciled_open": ("Услуги за {month}, акта ещё нет", "Services of {month}, no act yet"),
    "reconciled_part": ("Услуги за {month}, дни этого периода", "Services of {month}, the days of this period"),
    "reconciled_forfeited": ("Сгорели часы пакета {package}", "Hours of package {package} forfeited"),
    "reconciled_unforfeited": (
        "Сгоревшие часы пакета {package} возвращены",
        "Forfeited hours of package {package} given back",
    ),
    "reconciled_refunded": (
        "Возврат денег за остаток пакета {package}, {reference}",
        "Refund of what was left of package {package}, {reference}",
    ),
    "reconciled_retained": (
        "Удержано при возврате по пакету {package}",
        "Kept of what was left of package {package}",
    ),
    "debt_of_customer": ("Долг Заказчика в часах", "What the Customer owes, in hours"),
    "debt_opening": ("Долг на начало", "Owed at the beginning"),
    "debt_owed": ("Выполнено сверх пакетов", "Rendered beyond the packages"),
    "debt_settled": ("Погашено часами пакетов", "Settled by hours of packages"),
    "debt_paid": ("Оплачено деньгами", "Paid in money"),
    "debt_cancelled": ("Снято при исправлении", "Cancelled by corrections"),
    "debt_closing": ("Долг на конец", "Owed at the end"),
    "seller_owes": (
        (
            "На {day} Исполнитель должен Заказчику оплаченные и не оказанные услуги: {hours} ч ({clock}) "
            "на {money} — {words}."
        ),
        (
            "On {day} the Contractor owes the Customer services paid for and not rendered: {hours} h ({clock}), "
            "{money} — {words}."
        ),
    ),
    "seller_owes_nothing": (
        "На {day} оплаченных и не оказанных услуг нет.",
        "On {day} there are no services paid for and not rendered.",
    ),
    "customer_owes": (
        (
            "На {day} Заказчик должен Исполнителю оплату услуг, оказанных сверх пакетов: {hours} ч ({clock}). "
            "Деньгами они станут при оплате, поэтому в дебете их нет."
        ),
        (
            "On {day} the Customer owes the Contractor the payment of services beyond the packages: {hours} h "
            "({clock}). They get a price when they are paid, so they do not stand under debit."
        ),
    ),
    "customer_owes_nothing": ("На {day} долга Заказчика нет.", "On {day} the Customer owes nothing."),
    "reconciliation_note": (
        "Часы округлены до сотых так, что столбец сходится с сальдо; рядом — точное время (ч:мм).",
        "Hours are rounded to hundredths so that it adds up to the balance; the exact time stands beside (h:mm).",
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
    return {key: both[lang == "en"] for key, both in (_WORDS | INVOICE_WORDS).items()}


def month_name(number: int, lang: Lang) -> str:
    """The month by itself: `март`, `March`."""
    return _MONTHS[number - 1][2 if lang == "en" else 0]


def month_name_of(number: int, lang: Lang) -> str:
    """The month after a day: `31 марта`, `31 March`."""
    return _MONTHS[number - 1][2 if lang == "en" else 1]
