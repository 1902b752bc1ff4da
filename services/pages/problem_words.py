"""What is wrong, and what to do about it, in Russian: every problem of the catalogue, whose English stands there."""

from collections.abc import Mapping
from typing import NamedTuple


class RussianProblem(NamedTuple):
    """The title of a problem and its remedy."""

    title: str
    remedy: str


PROBLEMS: Mapping[str, RussianProblem] = {slug: RussianProblem(*said) for slug, said in {
    "account-not-found": ("Такого счёта нет.", "Сначала откройте счёт или проверьте его номер."),
    "task-not-found": ("Об этой задаче ничего не известно.", "Проверьте номер задачи и заказчика."),
    "package-not-found": ("Такого пакета нет.", "Проверьте номер: пакета или возмещения этого заказчика."),
    "invoice-not-found": ("Такого счёта на оплату нет.", "Проверьте номер счёта и заказчика."),
    "document-not-found": ("Такой документ не отправляли.", "Проверьте SHA-256 и чей это документ."),
    "payment-not-found": ("Такого платежа нет.", "Проверьте номер платежа."),
    "key-not-found": ("Такого ключа среди доступных вам нет.", "Проверьте номер ключа."),
    "not-found": ("По этому адресу ничего нет.", "Проверьте адрес."),
    "key-ended": ("Ключ больше не действует.", "Создайте другой ключ."),
    "not-authenticated": ("Ключ не показан или не подходит.", "Войдите снова."),
    "not-allowed": ("У вас нет на это права.", "Попросите администратора дать вам роль с этим правом."),
    "identity-provider-unavailable": ("Сервер входа не отвечает.", "Повторите через минуту."),
    "malformed-request": ("Запрос не разобрать.", "Проверьте программу или прокси между вами и Hourbook."),
    "foreign-origin": ("Форму отправила страница другого сайта.", "Отправьте её со страницы Hourbook."),
    "method-not-allowed": ("Этот адрес так не спрашивают.", "Откройте страницу заново."),
    "body-too-large": ("Отправлено слишком много.", "Отправьте по частям."),
    "uri-too-long": ("Адрес слишком длинный.", "Уберите из него лишнее."),
    "unsupported-media-type": ("Файл другого вида.", "Отправьте файл того вида, о котором говорит страница."),
    "unknown-host": ("Под этим именем Hourbook не отвечает.", "Попросите администратора добавить имя."),
    "too-many-requests": ("Слишком много запросов сразу.", "Повторите через несколько секунд."),
    "headers-too-large": ("Заголовки запроса слишком велики.", "Удалите лишние cookie этого сайта."),
    "account-already-open": ("Такой счёт уже открыт.", "Работайте с ним или выберите другой номер."),
    "package-already-purchased": ("Пакет с этим номером уже куплен.", "Дайте новому пакету свой номер."),
    "nothing-to-refund": (
        "В этом пакете нет часов, за которые можно вернуть деньги.",
        "Вернуть можно за пакет, в котором остались часы и который не закончился и не возвращён.",
    ),
    "task-already-closed": ("Эта задача уже закрыта.", "Чтобы закрыть её заново, сначала откройте её снова."),
    "task-not-closed": (
        "Эта задача не закрыта.", "Снова открыть или исправить можно только закрытую задачу; проверьте номер.",
    ),
    "task-already-warranty": ("Задача уже признана гарантийной.", "Делать ничего не нужно: она ничего не стоит."),
    "balance-not-negative": (
        "Приостановить работу можно, только пока остаток отрицательный.", "Сделайте это, когда у заказчика есть долг.",
    ),
    "already-suspended": ("Работа уже приостановлена.", "Делать ничего не нужно."),
    "task-not-planned": ("У этой задачи нет плана.", "Делать ничего не нужно: план кончается и с закрытием задачи."),
    "not-suspended": ("Работа не приостановлена.", "Делать ничего не нужно: работа идёт."),
    "month-already-closed": (
        "Этот месяц уже закрыт.", "Закройте более поздний; что относится к этому, запишется исправлением.",
    ),
    "month-not-closed": ("Открыть снова можно только последний закрытый месяц.", "Откройте последний закрытый."),
    "upd-not-possible": (
        "УПД по акту этого месяца составить нельзя.",
        "Заполните названные реквизиты, или закройте месяц, или составьте УКД, если акт забирает назад.",
    ),
    "account-unreadable": (
        "Записи этого счёта не согласуются друг с другом.",
        "Пока администратор не выяснит почему, на этот счёт ничего не записать; остальные работают.",
    ),
    "seller-incomplete": (
        "В реквизитах продавца нет того, что нужно документу.",
        "Попросите администратора дополнить файл HOURBOOK_SELLER_FILE.",
    ),
    "invoice-not-open": ("Этот счёт уже оплачен или отозван.", "Если нужен другой, выставьте новый."),
    "payment-not-open": ("Этот платёж уже записан или записывается.", "Если он записывается, примите его ещё раз."),
    "invalid-request": ("Запрос не подходит.", "Исправьте отмеченное."),
    "unknown-plan": ("В день покупки такого пакета в продаже не было.", "Выберите пакет из прейскуранта."),
    "payment-exceeds-debt": ("Оплачено больше минут, чем в долге.", "Оплатить можно не больше долга."),
    "refund-exceeds-price": (
        "Сумма больше той части цены пакета, которая ещё не учтена.",
        "Верните не больше неё; без суммы вернётся вся эта часть.",
    ),
    "month-not-over": ("Этот месяц ещё не кончился.", "Закройте его, когда он кончится по Москве."),
    "idempotency-key-reused": (
        "Эта форма уже записана с другими данными.", "Откройте форму заново и заполните её ещё раз.",
    ),
    "effective-in-future": (
        "Это больше чем на 5 минут в будущем.", "Запишите то, что уже произошло; проверьте время.",
    ),
    "worked-time-not-in-quantum": (
        "Время считается целыми шагами прейскуранта (10 минут) и больше нуля.", "Округлите до целых шагов.",
    ),
    "task-not-confirmed": (
        "Заказчик не подтвердил эту задачу.", "Закройте её, когда заказчик подтвердит, и укажите, когда это было.",
    ),
    "confirmed-before-closed": ("Подтверждена раньше, чем закрыта.", "Укажите подтверждение после закрытия."),
    "started-after-closed": ("Начата позже, чем закрыта.", "Укажите начало не позже закрытия."),
    "urgency-not-agreed-before-start": (
        "Срочную работу заказчик согласует до её начала.",
        "Укажите начало работы и согласование не позже него или выберите другую категорию.",
    ),
    "off-hours-not-requested-before-start": (
        "Работу вне рабочего времени заказчик запрашивает до её начала.",
        "Укажите начало работы и запрос не позже него или выберите другую категорию.",
    ),
    "specification-not-agreed": (
        "Подготовка ТЗ списывается из пакета, только если заказчик согласился до этого.",
        "Укажите согласие не позже закрытия и подтверждения или закройте задачу как работу.",
    ),
    "time-entries-do-not-add-up": (
        "Отрезки работы в сумме не равны отработанному времени.", "Исправьте отрезки или отработанные минуты.",
    ),
    "evidence-does-not-add-up": (
        "Секунды подтверждения, округлённые как в нём сказано, не равны отработанному времени.",
        "Исправьте raw_seconds, entries или отработанные минуты либо не указывайте rounding.",
    ),
    "work-was-in-working-hours": (
        "Отрезок работы вне рабочего времени попадает на рабочие часы: 9:00–18:00 рабочего дня по Москве.",
        "Запишите эту работу задачей другой категории.",
    ),
    "clock-moves-forward-only": ("Учебные часы идут только вперёд.", "Укажите время не раньше их и записанного."),
    "internal-error": ("Сбой на нашей стороне.", "Повторите; если не поможет, передайте администратору номер."),
    "checkpoint-behind": ("Это ещё не подписано.", "Повторите через секунду: подпись ставится каждую секунду."),
    "projection-behind": ("Показатели ещё не дошли до этой записи.", "Повторите через несколько секунд."),
    "projection-halted": ("Показатели остановились.", "Сообщите администратору: почему, видно в обслуживании."),
    "figures-differ": (
        "Показатели закрытого месяца не те, с которыми он закрыт.", "Сообщите администратору: нужна проверка.",
    ),
    "account-halted": ("Показатели этого заказчика остановились.", "Сообщите администратору."),
    "ledger-unavailable": ("Журнал сейчас не отвечает.", "Повторите; записано будет один раз."),
    "log-went-back": (
        "Журнал восстановлен из прошлого состояния.",
        "Сообщите администратору: сначала нужна команда hourbook restored; потом запишите ещё раз.",
    ),
    "sending-off": (
        "Отправлять нечем: почтовый сервер не назван.",
        "Попросите администратора задать HOURBOOK_SMTP_URL и HOURBOOK_MAIL_FROM.",
    ),
    "billing-unavailable": ("Счета и отправка сейчас не отвечают.", "Повторите через минуту."),
    "projections-unavailable": ("Показатели сейчас не отвечают.", "Повторите через минуту."),
}.items()}  # fmt: skip
"""By slug."""

REMEDIES: Mapping[str, str] = {
    "give this field": "заполните это поле",
    "remove this field: it is not known here": "уберите это поле: его здесь не знают",
    "use 1 to 64 of A-Z a-z 0-9 _ -": "от 1 до 64 знаков: латинские буквы, цифры, - и _",
    "give a month such as 2026-03": "укажите месяц, например 2026-03",
    "use 1 to 128 visible characters of ASCII": "от 1 до 128 видимых знаков ASCII",
    "hand on next_cursor of the page before, unchanged, or leave it out": "начните список сначала",
    "choose an id that does not start with {}: those are the ledger's own": (
        "номер не может начинаться с {}: такие номера журнал даёт сам"
    ),
    "name what was agreed: minutes, price_kopecks or ends_on": (
        "укажите, что согласовано: объём, цену или последний день"
    ),
    "name what changes: customer_name, contract_number, contract_date or customer_requisites": (
        "укажите, что меняется: наименование, договор, его дата или реквизиты"
    ),
    "name what is invoiced: either package or debt": "укажите, за что счёт: за пакет или за долг",
    "name what the payment is for: one of invoice, package and debt": (
        "укажите, за что платёж: за счёт, пакет или долг"
    ),
    "give a date such as 2026-03-01": "укажите дату, например 2026-03-01",
    "the timestamp has no offset: add one, such as +03:00 or Z": "добавьте часовой пояс, например +03:00",
    "give a year from {} to {}": "укажите год от {} до {}",
    "give a log position of at most {}, or an RFC 3339 timestamp": "укажите номер записи не больше {} или день",
    "remove the control characters and line breaks": "уберите переносы строк и управляющие знаки",
    "write at least one visible character": "напишите хотя бы один видимый знак",
    "write at least one visible character: these leave no mark on paper": (
        "напишите хотя бы один знак, который виден на бумаге"
    ),
    "give an RFC 3339 timestamp with an offset, such as 2026-03-01T10:00:00+03:00": "укажите день и время",
    "give the 10 digits of an organisation's INN, or the 12 of a person's": (
        "у ИНН организации 10 цифр, у ИНН человека 12"
    ),
    "give the 9 characters of a KPP, such as 770101001": "в КПП 9 знаков, например 770101001",
    "check the digits of the INN: one of them is wrong": "проверьте цифры ИНН: одна из них неверна",
    "give an e-mail address in ASCII, such as office@example.com; a domain of other letters as Punycode": (
        "укажите адрес латинскими буквами, например office@example.com"
    ),
    "name each address once, with all kinds of documents that it gets": (
        "назовите каждый адрес один раз, со всеми его документами"
    ),
    'write a coefficient as a text, such as "1.5": a float never enters (rule 1.2)': "напишите, например, 1,5",
    "give a coefficient to each of {}": "укажите коэффициент каждой категории: {}",
    "warranty costs nothing (rule 5.6)": "гарантия ничего не стоит",
    "a quantum times a coefficient is whole minutes (rule 1.1)": "шаг, умноженный на коэффициент, — целые минуты",
    "give every plan the name under which it stands": "назовите каждый пакет",
    "give versions in the order of in_force_from, each later than the one before": (
        "каждая следующая версия вступает в силу позже"
    ),
    "{}: check its digits and those of bic: they do not fit together": "{}: проверьте цифры: они не подходят к БИК",
    "give an instant at least an hour ahead, {} or later": "не раньше чем через час: {} или позже",
    "give an instant after {}, from which the version before it is in force": (
        "позже {}: с этого времени действует предыдущая версия"
    ),
    "give a last day that is not before the first": "последний день не может быть раньше первого",
    "give a day that there is": "такого дня нет",
    "name what differs: without items both hashes are the same": "назовите, что расходится",
    "nothing is owed now: invoice a package, or nothing": "долга сейчас нет: счёт можно выставить за пакет",
    "Give a day after {}, the last month that is closed.": "Укажите день после {}: этот месяц закрыт последним.",
    "Give a last day that is not before the day of the purchase in Moscow.": (
        "Последний день не может быть раньше дня покупки по Москве."
    ),
    "its total is {} kopecks, and {} were paid: say what was bought": (
        "счёт на {} коп., а оплачено {}: скажите, что куплено"
    ),
    "this costs {} kopecks, and {} were paid: agree on the price": (
        "это стоит {} коп., а оплачено {}: согласуйте цену"
    ),
    "give it in the file of HOURBOOK_SELLER_FILE, and start again": (
        "попросите администратора дополнить файл HOURBOOK_SELLER_FILE"
    ),
    "export a statement in the format {}, with a line {}, in Windows, DOS or UTF-8": (
        "выгрузите выписку в формате {}, со строкой {}, в кодировке Windows, DOS или UTF-8"
    ),
    "begin the statement with the line {}": "выписка начинается со строки {}",
    "end the section of line {} first": "сначала закончите раздел строки {}",
    "nothing stands after {}": "после {} ничего не стоит",
    "{} ends nothing here: remove it": "{} здесь ничего не заканчивает: уберите",
    "give a name, the sign = and a value": "напишите имя, знак = и значение",
    "this line stands in no section": "эта строка вне разделов",
    "{} stands there already: give it once": "{} там уже есть: оставьте одну",
    "the statement is cut off: it has no line {}": "выписка оборвана: в ней нет строки {}",
    "{}: the text is in another one than is said: export it anew": "{}: текст не в той кодировке: выгрузите заново",
    "{}: export the statement in version {}": "{}: выгрузите выписку в версии {}",
    "{}: send the statement of an account of the seller's, which its file names in party.bank": (
        "{}: пришлите выписку счёта продавца, названного в его файле (party.bank)"
    ),
    "{}: give a day such as 28.11.2026": "{}: укажите день, например 28.11.2026",
    "{}: give rubles and kopecks, such as 63800.00": "{}: укажите рубли и копейки, например 63800.00",
    "send this header once, with 1 to 128 visible characters of ASCII": "откройте форму заново",
    "they have rights that you have not: {}": "эти роли дают права, которых нет у вас: {}",
    "name the customer's accounts, for the role gives nothing without them": (
        "назовите счета заказчика: без них эта роль ничего не даёт"
    ),
    "make another one: this is another key's": "откройте форму заново: этот ключ занят",
    "name only accounts that are in your own scope": "назовите только доступные вам счета",
    "not later than your own end, {}": "не позже конца вашего собственного ключа: {}",
    "String should have at least {} character": "хотя бы {} знак",
    "String should have at least {} characters": "не меньше {} знаков",
    "String should have at most {} characters": "не больше {} знаков",
    "String should match pattern {}": "напишите иначе: этот вид не подходит",
    "Input should be greater than or equal to {}": "не меньше {}",
    "Input should be greater than {}": "больше {}",
    "Input should be less than or equal to {}": "не больше {}",
    "Input should be less than {}": "меньше {}",
    "Input should be a valid integer{}": "укажите целое число",
    "Input should be a valid string": "напишите текст",
    "Input should be a valid date{}": "укажите дату",
    "Input should be a valid datetime{}": "укажите день и время",
    "Input should be a valid boolean{}": "да или нет",
    "Tuple should have at least {} item after validation, not {}": "хотя бы {}",
    "Tuple should have at most {} items after validation, not {}": "не больше {}",
    "Frozenset should have at least {} item after validation, not {}": "хотя бы {}",
    "Frozenset should have at most {} items after validation, not {}": "не больше {}",
    "Frozenset should have at most {} items after validation, not more": "не больше {}",
    "Input should be {}": "выберите одно из: {}",
}
"""What would fit into a field, from the English of the routes; `{}` stands for what differs from case to case."""
