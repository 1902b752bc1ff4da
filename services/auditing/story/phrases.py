"""What a story says, in Russian and in English: one phrase a line, so that neither language can lack one."""

from services.documents.numerals import Lang

_PHRASES = {
    "story": ("История баланса", "The story of a balance"),
    "as_of": ("на", "as of"),
    "known_at": ("по записям до", "as known at"),
    "day": ("Записано", "Recorded"),
    "what": ("Что произошло", "What happened"),
    "change": ("Измен.", "Change"),
    "balance": ("Баланс", "Balance"),
    "unit": ("Время в часах и минутах (ч:мм).", "Time in hours and minutes (h:mm)."),
    "nothing": ("Событий нет.", "No events."),
    "counts": ("считается с {day}", "counts from {day}"),
    "due": ("наступит к этому времени, ещё не записано", "due by then, not recorded yet"),
    "by": ("команду дал {actor}", "command given by {actor}"),
    "AccountOpened": (
        "Открыт счёт: {customer}, договор № {number} от {day}",
        "Account opened: {customer}, contract {number} of {day}",
    ),
    "PackagePurchased": (
        "Куплен пакет {package}: {plan} за {money} ({rate}/ч), действует {through}",
        "Bought package {package}: {plan} for {money} ({rate}/h), valid {through}",
    ),
    "PackageAgreed": (
        "Куплен пакет {package}: {plan}, {minutes} за {money}, действует {through}",
        "Bought package {package}: {plan}, {minutes} for {money}, valid {through}",
    ),
    "agreed": ("условия согласованы: {reason}", "terms agreed: {reason}"),
    "CustomerChanged": ("С {day} новые данные заказчика: {what}", "From {day} on, the customer's new data: {what}"),
    "customer_name": ("наименование {value}", "name {value}"),
    "contract_number": ("договор № {value}", "contract {value}"),
    "contract_date": ("дата договора {value}", "contract of {value}"),
    "customer_requisites": ("реквизиты", "requisites"),
    "TaskPlanned": (
        "Запланирована задача {task} «{title}»: {category}, {estimate}\u00a0×\u00a0К\u00a0{k}\u00a0=\u00a0{planned}",
        "Planned task {task} “{title}”: {category}, {estimate}\u00a0×\u00a0K\u00a0{k}\u00a0=\u00a0{planned}",
    ),
    "PlanDropped": ("Задача {task} снята с плана: {reason}", "Plan of task {task} dropped: {reason}"),
    "specification": ("подготовка ТЗ, заказчик согласился списать её с пакета",
                      "a specification; the customer agreed that the package pays for it"),
    "takes_over": ("примет остаток пакетов: {packages}", "will take over what is left of: {packages}"),
    "hands_on": ("его остаток примет пакет {package}", "what is left of it will go to package {package}"),
    "TaskClosed": (
        "Закрыта задача {task} «{title}»: {category}, {worked}\u00a0×\u00a0К\u00a0{k}\u00a0=\u00a0{charged}",
        "Closed task {task} “{title}”: {category}, {worked}\u00a0×\u00a0K\u00a0{k}\u00a0=\u00a0{charged}",
    ),
    "for_nothing": ("гарантия: ничего не списано", "warranty: nothing charged"),
    "drawn": ("из пакета {lot}: {minutes} × {rate}/ч {equals} {money}",
              "from {lot}: {minutes} × {rate}/h {equals} {money}"),
    "drawn_agreed": ("из пакета {lot}: {minutes} на {money}", "from {lot}: {minutes} worth {money}"),
    "released_agreed": ("из сгоревших часов {lot}: {minutes} на {money}, баланс не меняется",
                        "from forfeited hours of {lot}: {minutes} worth {money}, the balance stays"),
    "released": ("из сгоревших часов {lot}: {minutes} × {rate}/ч {equals} {money}, баланс не меняется",
                 "from forfeited hours of {lot}: {minutes} × {rate}/h {equals} {money}, the balance stays"),
    "owed": ("в долг: {minutes}", "owed: {minutes}"),
    "DebtSettled": (
        "Долг по задаче {task} погашен часами: {minutes}",
        "Debt of task {task} settled by hours: {minutes}",
    ),
    "DebtPaid": (
        "Долг оплачен деньгами: {minutes} × {rate}/ч {equals} {money}, платёж {reference}",
        "Debt paid in money: {minutes} × {rate}/h {equals} {money}, payment {reference}",
    ),
    "paid_part": ("задача {task}: {minutes}, {money}", "task {task}: {minutes}, {money}"),
    "HoursCarriedOver": (
        "Остаток {minutes} перенесён из {former} в {heir}, действует {through}",
        "Left over {minutes} carried from {former} to {heir}, valid {through}",
    ),
    "reclaimed": (
        "Сгоревшие {minutes} пакета {former} возвращены в {heir}, действуют {through}",
        "Forfeited {minutes} of {former} reclaimed by {heir}, valid {through}",
    ),
    "share": ("{lot}: {minutes} на {money}", "{lot}: {minutes} worth {money}"),
    "PackageExpired": ("Срок пакета {package} истёк: сгорело {minutes} на {money}",
                       "Package {package} expired: {minutes} worth {money} forfeited"),
    "expired_carried": ("Срок пакета {package} истёк, остаток уже в {heir}",
                        "Package {package} expired, what was left is in {heir}"),
    "expired_empty": ("Срок пакета {package} истёк, остатка не было", "Package {package} expired with nothing left"),
    "WarrantyMarked": ("Задача {task} признана гарантийной: {reason}", "Task {task} marked as warranty: {reason}"),
    "TaskReopened": ("Задача {task} возвращена в работу: {reason}", "Task {task} reopened: {reason}"),
    "returned": ("возвращено в {lot}: {minutes}, {money}", "back to {lot}: {minutes}, {money}"),
    "returned_settlement": ("погашение отменено, возвращено в {lot}: {minutes}, {money}",
                            "settlement undone, back to {lot}: {minutes}, {money}"),
    "returned_forfeited": ("возвращено в сгоревшие часы {lot}: {minutes}, {money}",
                           "back to the forfeited hours of {lot}: {minutes}, {money}"),
    "cancelled": ("долг отменён: {minutes}", "debt cancelled: {minutes}"),
    "compensation": ("компенсация {package}: {minutes} на {money}, действует {through}",
                     "compensation {package}: {minutes} worth {money}, valid {through}"),
    "nothing_to_undo": ("списаний по ней не было", "nothing had been charged for it"),
    "WorkSuspended": ("Работы приостановлены: {reason}", "Work suspended: {reason}"),
    "WorkResumed": ("Работы возобновлены: {reason}", "Work resumed: {reason}"),
    "by_itself": ("баланс положительный", "the balance is positive"),
    "at_will": ("по решению исполнителя", "at the contractor's will"),
    "MonthClosed": ("Закрыт месяц: {month}", "Month closed: {month}"),
    "MonthReopened": ("Месяц {month} открыт снова: {reason}", "Month {month} reopened: {reason}"),
}  # fmt: skip


def phrases(lang: Lang) -> dict[str, str]:
    """Every phrase in one language."""
    return {key: both[lang == "en"] for key, both in _PHRASES.items()}
