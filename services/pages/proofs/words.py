"""What the page of proofs says; what a judgement says is with its scripts."""

from services.pages.words import Words

WORDS: Words = {
    "menu_proofs": ("Доказательства", "Proofs"),
    "proofs_title": ("Проверка доказательств", "Verification of proofs"),
    "proofs_lead": (
        (
            "Квитанция или событие проверяется здесь, в вашем браузере: лист, путь до корня, подпись контрольной "
            "точки, ключи. Серверу при этом верить не нужно. Открытая страница проверяет квитанции и без сети."
        ),
        (
            "A receipt or an event is verified here, in your browser: leaf, path to the root, signature of the "
            "checkpoint, keys. The server need not be trusted for it. Once it is open, the page verifies receipts "
            "without a network."
        ),
    ),
    "proofs_without_script": (
        (
            "Проверка идёт сценарием, а он выключен. Включите JavaScript, или проверьте квитанцию программой — она не "
            "спрашивает никого:"
        ),
        (
            "A script verifies, and scripts are switched off. Switch JavaScript on, or verify a receipt with the "
            "program, which asks nobody:"
        ),
    ),
    "proofs_or_verify": (
        "То же делает verify.py из любой выгрузки для аудитора:",
        "verify.py of any export for auditors does the same:",
    ),
    "proofs_drop": ("Перетащите файл сюда или выберите его", "Drop a file here, or choose it"),
    "proofs_paste": (
        "или вставьте текст: квитанцию, строку события, контрольную точку, строку имени",
        "or paste text: a receipt, the line of an event, a checkpoint, the line of a name",
    ),
    "proofs_judge": ("Проверить", "Verify"),
    "proofs_kept": (
        "Этот браузер помнит контрольные точки прошлых визитов: ",
        "This browser keeps the checkpoints of earlier visits: ",
    ),
    "proofs_kept_logs": ("; журналов: ", "; logs: "),
    "proofs_witness": (
        "Он свидетель: если новое дерево не содержит прежнего, страница скажет об этом и сохранит обе записки.",
        "It is a witness: if a later tree does not contain an earlier one, the page says so and keeps both notes.",
    ),
    "proofs_forget": ("Забыть всё", "Forget everything"),
    "proofs_receipt": ("Взять квитанцию", "Get a receipt"),
    "proofs_receipt_hint": (
        "Квитанция команды по ключу идемпотентности. Храните её у себя: она доказательство и без нас.",
        "The receipt of a command, by its idempotency key. Keep it yourself: it is evidence without us.",
    ),
    "proofs_account": ("Заказчик (id)", "Customer (id)"),
    "proofs_key": ("Ключ команды", "Key of the command"),
    "proofs_download": ("Скачать", "Download"),
}
