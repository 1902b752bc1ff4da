/** The offline page: it verifies what it carries, replays balances, and compares what the reader holds. */

import { fromUtf8, toBase64, toHex } from "../../pages/static/proofs/bytes.js";
import { element, judgementShown } from "../../pages/static/proofs/view.js";
import { EVENTS } from "../../pages/static/proofs/events.js";
import { readKeys, signingKey } from "../../pages/static/proofs/keys.js";
import { readCheckpoint } from "../../pages/static/proofs/note.js";
import { judgeReceipt } from "../../pages/static/proofs/receipt.js";
import { WORDS, phrase } from "../../pages/static/proofs/words.js";
import { instantOf } from "./account.js";
import { readLedger, replay, rootOf } from "./ledger.js";
import { PAGE } from "./words.js";

const say = (name, values) => phrase(PAGE, name, values);
const at = (id) => document.getElementById(id);
let ledger;

function write() {
  for (const each of document.querySelectorAll("[data-say]")) each.textContent = say(each.dataset.say);
  document.title = `${say("title")} · Hourbook`;
  for (const each of document.querySelectorAll("[data-lang]")) {
    each.setAttribute("aria-pressed", String(each.dataset.lang === document.documentElement.lang));
  }
}

function showVerdict() {
  const said = ledger.logs.map((log) => element("li", log.wrong ? "wrong" : "good", log.wrong
    ? say("log-wrong", { log: log.number, why: phrase(WORDS, log.wrong.code ?? "unreadable") })
    : say("log-holds", { ...log, log: log.number })));
  at("verdict").replaceChildren(...said, element("li", "", say("trust", { keys: ledger.first })));
}

function instantShown(microseconds) {
  return new Intl.DateTimeFormat(document.documentElement.lang, {
    dateStyle: "short", timeStyle: "short", timeZone: "Europe/Moscow",
  }).format(new Date(microseconds / 1000));
}

function signed(minutes) {
  return `${minutes > 0 ? "+" : ""}${minutes}`.replace("-", "−");
}

function minutesShown(minutes) {
  const sign = minutes < 0 ? "−" : "";
  return `${sign}${Math.floor(Math.abs(minutes) / 60)}:${String(Math.abs(minutes) % 60).padStart(2, "0")}`;
}

/** Whether a line was recorded by then: a position, an instant, or everything. */
function knownBy(text) {
  if (!text) return () => true;
  if (/^\d+$/.test(text)) return (line) => line.position <= BigInt(text);
  const until = instantOf(text);
  return (line) => Number(line.microseconds) <= until;
}

function showBalance() {
  const [asOf, knownAt] = ["as-of", "known-at"].map((id) => at(id).value.trim());
  const account = ledger.accounts.get(at("account").value);
  const out = at("balance");
  const doubt = account.log.wrong ? [element("p", "wrong", say("doubt"))] : [];
  try {
    const found = replay(account, knownBy(knownAt), asOf ? instantOf(asOf) : Date.now() * 1000);
    const total = `${minutesShown(found.balance)} (${String(found.balance).replace("-", "−")} ${say("minutes")})`;
    const parts = `${say("held")} ${minutesShown(found.held)}, ${say("owed")} ${minutesShown(found.owed)}`;
    out.replaceChildren(
      ...doubt,
      element("p", "total", `${say("balance")}: ${total}; ${parts}`),
      ...(found.lots.length ? [table(["lot", "left", "ends"], found.lots.map(lotRow))] : []),
      element("h2", "", say("steps")),
      ...(found.steps.length
        ? [table(["position", "recorded", "event", "change", "after"], found.steps.map(stepRow))]
        : [element("p", "", say("nothing-known"))]),
    );
  } catch (failure) {
    out.replaceChildren(...doubt, element("p", "wrong", phrase(WORDS, failure.code ?? "unreadable")));
  }
}

function lotRow(lot) {
  return [lot.id, minutesShown(lot.minutes), instantShown(lot.endsAt)];
}

function stepRow({ line, movements, after }) {
  const change = movements.map(({ lot, minutes }) => `${lot ?? say("owed")} ${signed(minutes)}`);
  return [
    String(line.position), instantShown(Number(line.microseconds)), phrase(EVENTS, line.type, line.data),
    change.join("; "), minutesShown(after),
  ];
}

function table(heads, rows) {
  const shown = element("table");
  const head = element("tr");
  head.append(...heads.map((name) => Object.assign(element("th", "", say(name)), { scope: "col" })));
  shown.createTHead().append(head);
  shown.createTBody().append(...rows.map((cells) => {
    const row = element("tr");
    row.append(...cells.map((cell) => element("td", "", cell)));
    return row;
  }));
  const around = element("div", "scroll");
  around.tabIndex = 0;
  around.role = "region";
  around.ariaLabel = say(heads[0]);
  around.append(shown);
  return around;
}

/** Compare a receipt, or a checkpoint, with the log of the page. */
async function compare(bytes) {
  const text = fromUtf8(bytes);
  const held = { [ledger.ledger_id]: [ledger.first] };
  if (text.trimStart().startsWith("{")) {
    const { judgement, lines, checkpoint } = await judgeReceipt(bytes, held);
    at("compared").replaceChildren(judgementShown(judgement));
    if (judgement.holds) at("compared").append(found(inLog(lines, checkpoint)), await pastShown(checkpoint));
    return;
  }
  const checkpoint = readCheckpoint(text);
  await signingKey(await readKeys(ledger.ledger_id, ledger.keys, []), checkpoint);
  at("compared").replaceChildren(await pastShown(checkpoint));
}

function inLog(lines, checkpoint) {
  const log = logOf(checkpoint);
  const account = ledger.accounts.get(lines[0].account_id);
  if (!log || lines.at(-1).position > log.size) return "not-covered";
  const texts = new Set((account?.lines ?? []).map((line) => line.text));
  return lines.every((line) => texts.has(line.text)) ? "in-log" : "not-in-log";
}

function found(what) {
  return element("p", what === "in-log" ? "good" : "wrong", say(what));
}

function logOf(checkpoint) {
  return ledger.logs.find((log) => checkpoint.origin === `hourbook/${ledger.ledger_id}/log/${log.number}`);
}

async function pastShown(checkpoint) {
  const log = logOf(checkpoint);
  const root = log && !log.wrong ? await rootOf(log, checkpoint.size) : null;
  if (!root) return element("p", "", say("not-covered"));
  const alike = toHex(root) === toHex(checkpoint.root);
  return element("p", alike ? "good" : "wrong", say(alike ? "same-past" : "other-past", { size: checkpoint.size }));
}

async function begin() {
  write();
  ledger = await readLedger((done, all) => { at("progress").textContent = `${done} / ${all}`; });
  const keys = await readKeys(ledger.ledger_id, ledger.keys, []).catch(() => ({ keys: [] }));
  ledger.first = keys.keys.length ? toBase64(keys.keys[0]) : "";
  at("progress").textContent = ledger.ledger_id;
  at("account").append(...[...ledger.accounts.keys()].sort().map((id) => new Option(id, id)));
  at("as-of").value = ledger.logs.find((log) => log.time)?.time ?? "";
  showVerdict();
  at("ask").hidden = false;
  document.body.dataset.verified = String(ledger.logs.every((log) => !log.wrong));
}

/** For programs that open the page: the balance of an account, as the form shows it. */
globalThis.balanceOf = (id, asOf, knownAt = "") => {
  const { balance, held, owed } = replay(ledger.accounts.get(id), knownBy(knownAt), instantOf(asOf));
  return { balance, held, owed };
};

at("question").addEventListener("submit", (event) => {
  event.preventDefault();
  showBalance();
});
for (const button of document.querySelectorAll("[data-lang]")) {
  button.addEventListener("click", () => {
    document.documentElement.lang = button.dataset.lang;
    write();
    if (!ledger) return;
    showVerdict();
    if (at("balance").childElementCount) showBalance();
  });
}
at("file").addEventListener("change", async ({ target }) => {
  if (!target.files[0]) return;
  await compare(new Uint8Array(await target.files[0].arrayBuffer())).catch((failure) => {
    at("compared").replaceChildren(element("p", "wrong", phrase(WORDS, failure.code ?? "unreadable")));
  });
});
begin();
