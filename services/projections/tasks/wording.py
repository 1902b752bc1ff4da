"""What explanations say, in Russian and in English: one line an expression, so that neither language can lack one.

Amounts of time stand after a colon or a dash, where Russian asks for no case but the first.
"""

from services.documents import Lang

_WORDING = {
    # closed and confirmed (rule 5.1)
    "closed_at_once": (
        "Задача «{title}» закрыта и подтверждена {closed}{by}.",
        "Task “{title}” was closed and confirmed on {closed}{by}.",
    ),
    "closed_then_confirmed": (
        "Задача «{title}» закрыта {closed}, подтверждена {confirmed}{by} и учтена днём подтверждения.",
        "Task “{title}” was closed on {closed}, confirmed on {confirmed}{by}, and counts from its confirmation.",
    ),
    "again_at_once": (
        "Задача «{title}» снова закрыта и подтверждена {closed}{by}.",
        "Task “{title}” was closed again and confirmed on {closed}{by}.",
    ),
    "again_then_confirmed": (
        "Задача «{title}» снова закрыта {closed}, подтверждена {confirmed}{by} и учтена днём подтверждения.",
        "Task “{title}” was closed again on {closed}, confirmed on {confirmed}{by}, and counts from its confirmation.",
    ),
    "corrected_at_once": (
        "Закрытие {closure} вместо закрытия {corrects}: задача «{title}» закрыта и подтверждена {closed}{by}.",
        "Closing {closure} in place of closing {corrects}: task “{title}” was closed and confirmed on {closed}{by}.",
    ),
    "corrected_then_confirmed": (
        (
            "Закрытие {closure} вместо закрытия {corrects}: задача «{title}» закрыта {closed}, "
            "подтверждена {confirmed}{by} и учтена днём подтверждения."
        ),
        (
            "Closing {closure} in place of closing {corrects}: task “{title}” was closed on {closed}, confirmed on "
            "{confirmed}{by}, and counts from its confirmation."
        ),
    ),
    "by": (" (подтверждение: {name})", " (by {name})"),
    # K and why (rules 5.2, 5.3, 5.6)
    "regular": ("Это обычная задача, её коэффициент — {k}.", "It is a regular task, with coefficient {k}."),
    "urgent": (
        "Это срочная задача, её коэффициент — {k}: срочность согласована {agreed}, до начала работ ({started}).",
        "It is an urgent task, with coefficient {k}: urgency was agreed {agreed}, before work began ({started}).",
    ),
    "off_hours": (
        (
            "Работа выполнена вне рабочего времени, её коэффициент — {k}: запрос на неё получен {requested}, "
            "до начала работ ({started})."
        ),
        (
            "The work was done off hours, with coefficient {k}: it was requested {requested}, "
            "before it began ({started})."
        ),
    ),
    "urgent_off_hours": (
        (
            "Это срочная работа вне рабочего времени, её коэффициент — {k}: срочность согласована {agreed}, "
            "запрос на работу в это время получен {requested}, и то и другое до начала работ ({started})."
        ),
        (
            "It is urgent work off hours, with coefficient {k}: urgency was agreed {agreed} and work at that time "
            "requested {requested}, both before work began ({started})."
        ),
    ),
    "warranty": (
        "Это гарантийная задача, её коэффициент — {k}: часы за неё не списываются.",
        "It is a warranty task, with coefficient {k}: it takes no hours.",
    ),
    "warranty_mark": (
        (
            "Она отмечена как гарантийная {marked} (причина: «{reason}»), поэтому её коэффициент — {k} "
            "и часы за неё не списываются."
        ),
        (
            "It was marked as warranty on {marked} (reason: “{reason}”), so its coefficient is {k} "
            "and it takes no hours."
        ),
    ),
    "day_and_time": ("{day} в {time}", "on {day} at {time}"),
    "same_day": ("в {time}", "at {time}"),
    "worked": ("Отработано: {worked}.", "Time worked: {worked}."),
    "worked_and_charged": ("Отработано и принято к учёту: {worked}.", "Time worked and charged: {worked}."),
    "worked_times_k": (
        "Отработано: {worked}; принято к учёту: {worked} × {k} = {charged}.",
        "Time worked: {worked}; time charged: {worked} × {k} = {charged}.",
    ),
    # draws, and why in this order (rules 6.1, 6.2)
    "taken_over": (
        "От закрытия {corrects} осталось списанным, как было: {amount}.",
        "Of closing {corrects} this stays charged as it was: {amount}.",
    ),
    "drawn_from_one": ("Часы списаны с {lot_of}: {amount}.", "The hours came from {lot_of}: {amount}."),
    "drawn_by_end": (
        "Часы списаны по очереди, начиная с пакета, который раньше заканчивается: {draws}.",
        "The hours came from these in turn, the first to end first: {draws}.",
    ),
    "drawn_by_start": (
        (
            "Часы списаны по очереди, начиная с пакета, который раньше заканчивается, "
            "а при равном сроке — с купленного раньше: {draws}."
        ),
        (
            "The hours came from these in turn, the first to end first and, of those that end together, "
            "the first bought first: {draws}."
        ),
    ),
    "draw": ("{lot} — {amount}", "{lot}: {amount}"),
    "then": ("; затем ", "; then "),
    "amount": ("{minutes}, {money}", "{minutes}, {money}"),
    "package": ("{noun} «{lot}»", "{noun} “{lot}”"),
    "compensation": ("{noun} за задачу {task}", "{noun} for task {task}"),
    "noun_package": ("пакет", "package"),
    "noun_package_of": ("пакета", "package"),
    "noun_package_into": ("пакет", "package"),
    "noun_compensation": ("компенсация", "the compensation"),
    "noun_compensation_of": ("компенсации", "the compensation"),
    "noun_compensation_into": ("компенсацию", "the compensation"),
    "valid": ("действует {through}", "valid {through}"),
    "carried": (
        "часы перенесены в пакет «{holder}», который действует {through}",
        "carried over to package “{holder}”, valid {through}",
    ),
    "released": (
        (
            "Из них уже числились сгоревшими: {minutes}. В день задачи они ещё действовали, "
            "поэтому пошли на неё и сгоревшими больше не считаются."
        ),
        (
            "Of these, {minutes} had been forfeited by then. They were still valid when the task counted, "
            "so they went to it and are forfeited no more."
        ),
    ),
    # debt (rules 4.3, 6.4, 6.5)
    "owed_rest": (
        "На остальное часов не хватило, в долг записано: {owed}.",
        "There were no hours for the rest, which is owed: {owed}.",
    ),
    "owed_all": (
        "Действующих пакетов с остатком часов не было, и всё записано в долг: {owed}.",
        "No valid package had hours left, so all of it is owed: {owed}.",
    ),
    "the_debt": ("долг", "the debt was"),
    "part_of_the_debt": ("часть долга", "part of the debt was"),
    "settled_bought": (
        "{day} {debt} {settled} часами купленного {lot_of}: {amount}.",
        "On {day} {debt} {settled} with hours of the newly bought {lot_of}: {amount}.",
    ),
    "settled_purchase": (
        "{day}, после покупки пакета «{package}», {debt} {settled} часами {lot_of}: {amount}.",
        "On {day}, after package “{package}” was bought, {debt} {settled} with hours of {lot_of}: {amount}.",
    ),
    "settled_reversal": (
        "{day}, после возврата часов за задачу {task}, {debt} {settled} часами {lot_of}: {amount}.",
        "On {day}, after hours were given back for task {task}, {debt} {settled} with hours of {lot_of}: {amount}.",
    ),
    "settled_compensation": (
        "{day} {debt} {settled} часами {lot_of}: {amount}.",
        "On {day} {debt} {settled} with hours of {lot_of}: {amount}.",
    ),
    "settled_closing": (
        "{day} {debt} {settled} первыми часами, которые появились после задачи, — часами {lot_of}: {amount}.",
        "On {day} {debt} {settled} with the first hours there were after the task, those of {lot_of}: {amount}.",
    ),
    "settled_released": (
        "Эти часы считались сгоревшими, а теперь зачтены в долг.",
        "These hours had been forfeited and now count towards the debt.",
    ),
    "paid": (
        "{day} {debt} {paid} деньгами: {minutes} по {price} за час, всего {money} (платёж «{reference}»).",
        "On {day} {debt} {paid} in money: {minutes} at {price} an hour, {money} (payment “{reference}”).",
    ),
    "settled_the_debt": ("погашен", "settled"),
    "settled_part_of_the_debt": ("погашена", "settled"),
    "paid_the_debt": ("оплачен", "paid"),
    "paid_part_of_the_debt": ("оплачена", "paid"),
    # the report (rule 10.1)
    "report": ("Задача вошла в отчёт за {month}.", "It is in the report for {month}."),
    "correction": (
        (
            "Отчёт за {effective_month} к тому времени был закрыт, поэтому задача вошла в отчёт за {month} "
            "как корректировка."
        ),
        "The report for {effective_month} was closed by then, so it is in the report for {month} as a correction.",
    ),
    # taking back (rule 8)
    "taken_back_warranty": (
        "{day} задача признана гарантийной (причина: «{reason}»), и всё взятое за неё отменено.",
        "On {day} the task was found to be warranty (reason: “{reason}”), and what it had taken was undone.",
    ),
    "taken_back_reopening": (
        "{day} задача возвращена в работу (причина: «{reason}»), и всё взятое за неё отменено.",
        "On {day} the task was reopened (reason: “{reason}”), and what it had taken was undone.",
    ),
    "taken_back_correction": (
        "{day} закрытие исправлено (причина: «{reason}»): вместо него стоит закрытие {other}.",
        "On {day} this closing was corrected (reason: “{reason}”): closing {other} stands in its place.",
    ),
    "nothing_taken_warranty": (
        "{day} задача признана гарантийной (причина: «{reason}»); возвращать было нечего.",
        "On {day} the task was found to be warranty (reason: “{reason}”); there was nothing to give back.",
    ),
    "nothing_taken_reopening": (
        "{day} задача возвращена в работу (причина: «{reason}»); возвращать было нечего.",
        "On {day} the task was reopened (reason: “{reason}”); there was nothing to give back.",
    ),
    "returned": ("Возвращено в {lot_into}: {amount}.", "Given back to {lot_into}: {amount}."),
    "forfeited_again": (
        "Снова считается сгоревшим вместе с остатком {lot_of}: {amount}.",
        "Forfeited again with the rest of {lot_of}: {amount}.",
    ),
    "cancelled": ("Долг снят: {minutes}.", "Debt cancelled: {minutes}."),
    "compensated_expired": (
        (
            "Срок пакета, давшего часы, истёк, поэтому вместо возврата в него дана компенсация: {amount}, "
            "действует {through}."
        ),
        (
            "The package that gave hours has ended, so instead of a return there is a compensation: {amount}, "
            "valid {through}."
        ),
    ),
    "compensated_paid": (
        "Оплаченное деньгами возвращено часами, компенсацией: {amount}, действует {through}.",
        "What was paid in money came back as hours, a compensation: {amount}, valid {through}.",
    ),
    "compensated_correction": (
        (
            "Что вернуть нельзя (срок пакета истёк или оплачено деньгами), стало компенсацией: {amount}, "
            "действует {through}."
        ),
        (
            "What cannot go back (its package has ended, or it was paid in money) is now a compensation: {amount}, "
            "valid {through}."
        ),
    ),
    "compensated_both": (
        "Вместо часов истёкшего пакета и оплаченного деньгами дана компенсация: {amount}, действует {through}.",
        (
            "Instead of hours of a package that has ended, and of what was paid in money, there is a compensation: "
            "{amount}, valid {through}."
        ),
    ),
    # how it stands
    "not_closed_marked": (
        (
            "Задача {task} отмечена как гарантийная {marked} (причина: «{reason}») и ещё не закрыта. "
            "Когда её закроют, часы за неё не спишутся."
        ),
        (
            "Task {task} was marked as warranty on {marked} (reason: “{reason}”) and is not closed yet. "
            "Once it is closed, it will take no hours."
        ),
    ),
    "stands_nothing": ("Итого за задачу не списано ничего.", "In all, the task costs nothing."),
    "specification": (
        "Это подготовка ТЗ; заказчик согласился списать её с пакета {agreed}.",
        "It is a specification; the customer agreed on {agreed} that the package pays for it.",
    ),
    "evidence": (
        "Записи времени в {source}: {entries}, вместе {seconds} с{rounding}; хеш записей {hash}.",
        "Entries of time in {source}: {entries}, {seconds} s together{rounding}; hash of the entries {hash}.",
    ),
    "rounding_task": (", округлено вверх", ", rounded up"),
    "rounding_entry": (", каждая запись округлена вверх", ", each entry rounded up"),
    "rounding_nearest": (", округлено до ближайшего", ", rounded to the nearest"),
    "estimated": ("Оценка была: {estimate}.", "The estimate was {estimate}."),
    "planned": (
        "Задача запланирована {day}; оценка: {estimate}, с коэффициентом: {planned}.",
        "The task was planned on {day}: an estimate of {estimate}, and {planned} with its coefficient.",
    ),
    "stands_unplanned": (
        "Задача снята с плана, и за неё не списано ничего.",
        "The task is planned no more, and costs nothing.",
    ),
    "stands_reopened": (
        "Сейчас задача не закрыта, и за неё не списано ничего.",
        "The task is not closed now, and costs nothing.",
    ),
    "stands": ("Итого за задачу: {charged}, {money}.", "In all, the task costs {charged}, {money}."),
    "stands_owing": (
        "Итого за задачу: {charged}, из них ещё в долгу: {owed}; за остальное — {money}.",
        "In all, the task costs {charged}, of which {owed} is still owed; the rest cost {money}.",
    ),
    "stands_all_owed": (
        "Итого за задачу: {charged}, и всё это ещё в долгу.",
        "In all, the task costs {charged}, and all of it is still owed.",
    ),
}


def wording(lang: Lang) -> dict[str, str]:
    """Every expression in one language."""
    return {key: both[lang == "en"] for key, both in _WORDING.items()}
