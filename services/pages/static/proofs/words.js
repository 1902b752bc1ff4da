/** What a judgement says, in Russian and in English: steps, and what can be wrong with them. */

export const WORDS = {
  holds: ["Верно", "Genuine"],
  "holds-not": ["Неверно", "Not genuine"],
  undecided: ["Не проверено", "Not judged"],
  expected: ["ожидалось", "expected"],
  found: ["найдено", "found"],
  "step-form": ["Форма", "Form"],
  "step-events": ["События", "Events"],
  "step-paths": ["Путь до корня", "Path to the root"],
  "step-keys": ["Ключи", "Keys"],
  "step-signature": ["Подпись", "Signature"],
  "step-memory": ["Память этого браузера", "This browser's memory"],
  "said-form": [
    "Журнал {log}, заказчик {account}, команда {command}: событий {events}.",
    "Log {log}, customer {account}, command {command}: {events} events.",
  ],
  "said-events": [
    "Все события — одной команды, и версии идут подряд. Хеши листьев: {leaves}",
    "All events are of one command, and their versions follow one another. Leaf hashes: {leaves}",
  ],
  "said-paths": [
    "Путь каждого события ведёт к корню дерева из {size} событий: {root}",
    "The path of each event leads to the root of a tree of {size} events: {root}",
  ],
  "said-keys": [
    "Каждый ключ подписан прежним. Сверьте их с теми, что опубликовал оператор: {keys}",
    "Each key is signed by the one before. Compare them with those that the operator has published: {keys}",
  ],
  "said-signature": [
    "Контрольная точка подписана ключом {number}, {time}.",
    "The checkpoint is signed by key {number}, {time}.",
  ],
  "said-memory-first": [
    "Этот браузер видит журнал впервые и запоминает дерево из {size} событий.",
    "This browser sees the log for the first time, and keeps the tree of {size} events.",
  ],
  "said-memory": [
    "Дерево согласуется с теми, что браузер запомнил раньше: {kept}.",
    "The tree agrees with those that this browser kept earlier: {kept}.",
  ],
  "said-not-compared": [
    "Дерево запомнено, но с прежними ещё не сверено: сервер не дал доказательства. Сверка будет при следующем визите.",
    "The tree is kept, but not compared with the earlier ones: the server gave no proof. It will be on the next visit.",
  ],
  "said-no-memory": ["Этот браузер ничего не хранит: сравнить не с чем.", "This browser keeps nothing: there is nothing to compare with."],
  "step-line": ["Строка события", "Line of an event"],
  "said-line": [
    "Событие заказчика {account}, версия {version}, место {position}.",
    "An event of customer {account}, version {version}, position {position}.",
  ],
  "no-keys": [
    "Сервер не дал ключей книги: подпись не проверена.",
    "The server gave no keys of the ledger: the signature is not judged.",
  ],
  "step-same-event": ["То же событие", "The same event"],
  "said-same-event": [
    "Сервер дал квитанцию команды, и это событие стоит в ней слово в слово.",
    "The server gave the receipt of the command, and this event stands in it byte for byte.",
  ],
  "other-event": ["В квитанции на этом месте другое событие.", "The receipt has another event in this place."],
  "no-receipt": [
    "Сервер не дал квитанции этого события: можно посчитать только лист. Нужна квитанция.",
    "The server gave no receipt of this event: only its leaf can be worked out. A receipt is needed.",
  ],
  "step-name": ["Имя", "Name"],
  "said-name": ["Событие {position} называет: {name}.", "Event {position} names: {name}."],
  "name-alone": ["Сначала дайте квитанцию с этим событием.", "Give the receipt with that event first."],
  "other-ledger": ["По этому адресу раньше была другая книга.", "There was another ledger at this address before."],
  "not-reached": ["Не проверялось: до этого дело не дошло.", "Not judged: a step before it does not hold."],
  "no-cryptography": [
    "Браузер даёт проверку только страницам по https, с этой же машины или из файла.",
    "A browser lends its cryptography only to pages by https, of this machine, or from a file.",
  ],
  "no-ed25519": [
    "Этот браузер не умеет проверять подписи Ed25519: подпись не проверена. Обновите его или возьмите verify.py.",
    "This browser cannot check signatures of Ed25519: the signature is not judged. Update it, or take verify.py.",
  ],
  unreadable: ["Это нельзя прочитать.", "This cannot be read."],
  "not-text": ["Это не текст в UTF-8.", "This is no text in UTF-8."],
  "json-form": [
    "Это не JSON в строгой форме: имена по одному разу, числа целые.",
    "This is not JSON in its strict form: each name once, numbers whole.",
  ],
  "receipt-form": ["Это не квитанция: в ней не всё на месте.", "This is no receipt: not everything is in its place."],
  "proof-for-each": ["На каждое событие нужно одно доказательство.", "Each event needs one proof."],
  "line-form": ["Строка события изменена.", "The line of an event was changed."],
  "time-form": ["Время записано не так, как его пишет журнал.", "A time is not written as the log writes it."],
  "hash-form": ["Хеш записан не так: нужны 64 строчные цифры.", "A hash is 64 digits in lower case, and this is not."],
  "base64-form": ["Это не base64 в его единственной форме.", "This is not base64 in its one form."],
  "note-form": ["Это не подписанная записка.", "This is no signed note."],
  "checkpoint-form": ["Это не контрольная точка.", "This is no checkpoint."],
  "other-log": ["Контрольная точка — другого журнала.", "The checkpoint is of another log."],
  "one-command": ["События не одной команды или не по порядку.", "The events are not of one command, or not in order."],
  fingerprint: ["Отпечаток команды есть не только у первого события.", "The fingerprint of the command is not with its first event alone."],
  "position-in-tree": ["Такого места в дереве нет.", "There is no such place in the tree."],
  "path-length": ["Путь не той длины.", "The path is not of its length."],
  root: ["Путь ведёт к другому корню: событие или путь изменены.", "The path leads to another root: the event or the path was changed."],
  signature: ["Подпись не подходит к тексту.", "The signature does not fit the text."],
  "key-form": ["Это не ключ Ed25519.", "This is no key of Ed25519."],
  "key-order": ["Ключи не по порядку, или другой книги.", "The keys are not in order, or of another ledger."],
  "key-not-its-own": ["Ключ не подписан самим собой.", "A key is not signed by itself."],
  "key-missing": ["Нет ключа, который этот браузер видел раньше.", "A key that this browser has seen before is missing."],
  "key-not-announced": ["Подписавший ключ не объявлен прежним ключом.", "The key that signed was not announced by the one before it."],
  "signed-by-nobody": ["Ни один ключ книги этого не подписал.", "None of the ledger's keys signed this."],
  "name-not-in-event": ["Такого имени в событии нет.", "The event has no such name."],
  "salt-form": ["Соль имени — 32 строчные цифры.", "The salt of a name is 32 digits in lower case."],
  commitment: ["Имя не подходит к событию.", "The name does not fit the event."],
  "tree-changed": ["Прошлое изменилось: новое дерево не содержит прежнего.", "The past was changed: the later tree does not contain the earlier one."],
  "key-changed": ["Под тем же номером объявлен другой ключ.", "Another key was announced under the same number."],
  "version-missing": ["У заказчика пропущена версия.", "A version of an account is missing."],
};

/** The language of the page: 0 for Russian, 1 for English. */
export function languageOf(root = document.documentElement) {
  return root.lang === "ru" ? 0 : 1;
}

/** A phrase with its values. */
export function phrase(table, name, values = {}, language = languageOf()) {
  const text = table[name]?.[language] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, value) => shown(value, values[value] ?? "", language));
}

/** A value as people read it: kopecks as rubles, everything else as it stands. */
function shown(name, value, language) {
  if (!name.endsWith("_kopecks")) return value;
  const form = { style: "currency", currency: "RUB", currencyDisplay: "narrowSymbol" };
  return new Intl.NumberFormat(["ru", "en"][language], form).format(Number(value) / 100);
}
