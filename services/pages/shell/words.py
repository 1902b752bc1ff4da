"""What the frame, the door and the pages of errors say."""

from services.pages.words import Words

WORDS: Words = {
    "skip": ("К содержанию", "Skip to content"),
    "menu": ("Разделы", "Sections"),
    "language": ("Язык", "Language"),
    "theme": ("Оформление", "Appearance"),
    "theme_light": ("Светлое", "Light"),
    "theme_dark": ("Тёмное", "Dark"),
    "theme_auto": ("Как в системе", "As the system has it"),
    "log_out": ("Выйти", "Log out"),
    "open_door": ("Без входа", "No login"),
    "log_in": ("Войти", "Log in"),
    "login_title": ("Вход", "Log in"),
    "login_lead": (
        "Учёт предоплаченных часов. Войдите своим ключом.",
        "The ledger of prepaid hours. Log in with your key.",
    ),
    "login_lead_issuer": (
        "Учёт предоплаченных часов. Войдите через сервер входа или своим ключом.",
        "The ledger of prepaid hours. Log in at the login server, or with your key.",
    ),
    "login_key": ("Ключ", "Key"),
    "login_key_hint": (
        "Начинается с hb1_. Ключ выдаёт администратор; на своей машине он лежит в папке данных, в access/.",
        "It begins with hb1_. Administrators make keys; on your own machine they are in the data folder, in access/.",
    ),
    "login_refused": ("Этот ключ не подходит.", "This key does not hold."),
    "login_again": ("Сеанс закончился. Войдите снова.", "The session has ended. Log in again."),
    "link_used": (
        "Эта ссылка уже использована или устарела: она действует один раз и десять минут. Войдите ключом.",
        "This link was used already or is too old: it is good once, for ten minutes. Log in with a key.",
    ),
    "login_at_issuer": ("Войти через {issuer}", "Log in with {issuer}"),
    "issuer_unavailable": (
        "Сервер входа сейчас не отвечает. Повторите через минуту или войдите ключом.",
        "The login server does not answer now. Try again in a minute, or log in with a key.",
    ),
    "issuer_other_login": (
        "Этот вход начат не здесь, уже закончен или длился дольше десяти минут. Войдите снова.",
        "This login was not begun here, is finished already, or took longer than ten minutes. Log in again.",
    ),
    "issuer_refused": (
        "Сервер входа не подтвердил вход. Войдите снова.",
        "The login server did not confirm the login. Log in again.",
    ),
    "issuer_token_refused": (
        "Hourbook не принимает токен сервера входа. Обратитесь к администратору: токен должен быть для Hourbook.",
        "Hourbook does not accept the login server's token. Ask an administrator: it has to be for Hourbook.",
    ),
    "token_too_large_title": ("Токен слишком большой", "The token is too large"),
    "token_too_large": (
        (
            "Браузер не сохранит сеанс с таким токеном. Попросите администратора сделать токены короче, например "
            "убрать из них списки групп, или войдите ключом."
        ),
        (
            "A browser would not keep a session with such a token. Ask an administrator to make tokens shorter, "
            "for example without lists of groups, or log in with a key."
        ),
    ),
    "form_unreadable": (
        "Отправлено не то, что заполняют на этой странице, и ничего не записано. Откройте страницу заново.",
        "What was sent is no form of this page, and nothing was recorded. Open the page again.",
    ),
    "form_stale_title": ("Форма устарела", "This form is out of date"),
    "form_stale": (
        (
            "Она была показана до входа или в другом сеансе, и ничего не записано. Откройте страницу заново. Если это "
            "повторяется, браузер не хранит cookie: откройте Hourbook по https или на той же машине (localhost)."
        ),
        (
            "It was shown before the login or in another session, and nothing is recorded. Open the page again. If "
            "that goes on, your browser does not keep the cookie: use https, or the same machine (localhost)."
        ),
    ),
    "error_401": ("Нужно войти", "Please log in"),
    "error_403": ("Нет права на эту страницу", "You may not see this page"),
    "right_missing": (
        "Для неё нужно право «{right}», а у вас его нет. Попросите администратора дать вам роль с этим правом.",
        "It needs the right “{right}”, which you do not have. Ask an administrator for a role with this right.",
    ),
    "right_tasks": ("задачи: закрывать и исправлять", "tasks: close and correct"),
    "right_money": ("деньги: счета, пакеты, платежи", "money: accounts, packages, payments"),
    "right_months": ("закрытие месяцев", "closing months"),
    "right_balances": ("балансы", "balances"),
    "right_documents": ("отчёты и акты", "reports and acts"),
    "right_all_accounts": ("все заказчики", "all customers"),
    "right_evidence": ("доказательства", "evidence"),
    "right_log": ("журнал", "the log"),
    "right_personal": ("имена людей", "names of people"),
    "right_erasure": ("удаление имён", "erasing names"),
    "right_terms": ("прейскурант", "price lists"),
    "right_access": ("ключи и роли", "keys and roles"),
    "right_operate": ("обслуживание", "operation"),
    "error_404": ("Здесь ничего нет", "There is nothing here"),
    "error_404_remedy": (
        "Проверьте адрес: такой записи нет, или она не ваша.",
        "Check the address: there is no such thing, or it is not yours.",
    ),
    "error_405": ("Этот адрес так не открывают", "This address is not opened like this"),
    "error_405_remedy": (
        "Ничего не записано. Вернитесь на страницу, с которой вы пришли, и откройте её заново.",
        "Nothing was recorded. Go back to the page that you came from, and open it again.",
    ),
    "error_413": ("Отправлено слишком много", "Too much was sent"),
    "error_422": ("Запрос не подходит", "The request does not fit"),
    "error_409": ("Сейчас это невозможно", "This cannot be done now"),
    "error_429": ("Слишком много запросов", "Too many requests"),
    "error_500": ("Сбой на нашей стороне", "The fault is ours"),
    "error_500_remedy": (
        "Ничего не потеряно. Повторите позже; если не поможет, передайте администратору номер запроса.",
        "Nothing is lost. Try again later; if that does not help, give the administrator the number of the request.",
    ),
    "error_503": ("Часть Hourbook сейчас не отвечает", "A part of Hourbook does not answer now"),
    "error_503_remedy": (
        "Ничего не потеряно. Обновите страницу через минуту.",
        "Nothing is lost. Reload the page in a minute.",
    ),
    "error_details": ("Подробности для администратора", "Details for the administrator"),
    "error_request": ("Запрос", "Request"),
    "error_field": ("Поле", "Field"),
    "error_back": ("На главную", "To the first page"),
    "next_page": ("Дальше", "Next"),
    "first_page": ("В начало", "To the beginning"),
    "apply": ("Показать", "Show"),
    "yes": ("да", "yes"),
    "no": ("нет", "no"),
    "hours_short": ("ч", "h"),
}
