/** The page of proofs: what is dropped, chosen or pasted is judged here, and compared with what this browser has seen. */

import { fromUtf8, toBase64, utf8 } from "./bytes.js";
import { consistencyPath, newestCheckpoint, publishedKeys, receiptOf } from "./evidence.js";
import { EVENTS } from "./events.js";
import { readKeys, signingKey } from "./keys.js";
import { readLine } from "./line.js";
import { Memory } from "./memory.js";
import { provenName } from "./name.js";
import { readCheckpoint } from "./note.js";
import { Judgement, judgeReceipt } from "./receipt.js";
import { element, judgementShown } from "./view.js";
import { WORDS, phrase } from "./words.js";
import { CannotJudge, Wrong } from "./wrong.js";

const BYTES_MAX = 16 << 20;
const at = (id) => document.getElementById(id);
const memory = opened();
let judgedLines = [];

function opened() {
  try {
    return new Memory();
  } catch {
    return null;
  }
}

/** Judge a file, or a text as one, by its kind, and show what came of it. */
async function judge(given) {
  at("verdict").replaceChildren();
  at("verdict").setAttribute("aria-busy", "true");
  const bytes = await bytesOf(given);
  const shown = bytes ? await judged(bytes) : [element("p", "wrong", phrase(WORDS, "unreadable"))];
  at("verdict").replaceChildren(...shown);
  at("verdict").removeAttribute("aria-busy");
  showMemory();
}

/** What a file holds; null for one that is too large to be any evidence, and for one that cannot be read, as a folder. */
async function bytesOf(given) {
  if (given.size > BYTES_MAX) return null;
  try {
    return new Uint8Array(await given.arrayBuffer());
  } catch {
    return null;
  }
}

async function judged(bytes) {
  const text = textOf(bytes);
  if (/^hourbook\/\S*\n/.test(text)) return [judgementShown(await judgeCheckpoint(text))];
  if (/^\s*\{"position":\d+,"commitment"/.test(text)) return [judgementShown(await judgeName(text))];
  const lines = text.split(/\r?\n/).filter((line) => line.trim());
  if (lines.length && lines.every((line) => line.startsWith('{"position":') && line.includes(',"data":'))) {
    return Promise.all(lines.map(async (line) => judgementShown(await judgeEvent(line))));
  }
  const found = await judgeReceipt(bytes, memory?.held);
  return [judgementShown(await remembered(found)), ...(found.lines ? [eventsShown(found.lines)] : [])];
}

function textOf(bytes) {
  try {
    return fromUtf8(bytes);
  } catch {
    return "";
  }
}

/** A receipt that holds by itself is compared with what this browser has seen. */
async function remembered(found) {
  if (found.judgement.holds) {
    judgedLines = found.lines;
    await remember(found.judgement, found.keys, found.checkpoint);
  }
  return found.judgement;
}

async function remember(judgement, keys, checkpoint) {
  await judgement.step("memory", async () => {
    if (!memory) return { said: "no-memory", open: true };
    memory.keepKeys(keys);
    const { state, kept } = await memory.keep(checkpoint, consistencyPath);
    return { said: state, open: state === "not-compared", size: checkpoint.size, kept };
  });
}

/** A line of the log: the receipt of its command has to hold, and to have this very line. */
async function judgeEvent(text) {
  let line;
  const alone = new Judgement();
  await alone.step("line", () => {
    line = readLine(text);
    return { account: line.account_id, version: line.version, position: line.position };
  });
  if (!alone.holds) return alone;
  const receipt = await receiptOf(line.account_id, line.version);
  if (!receipt) {
    await alone.step("same-event", () => { throw new CannotJudge("no-receipt"); });
    return alone;
  }
  const found = await judgeReceipt(utf8(receipt), memory?.held);
  await found.judgement.step("same-event", () => {
    if (!found.receipt.lines.includes(text)) throw new Wrong("other-event", text, found.receipt.lines[0]);
    return {};
  });
  return remembered(found);
}

/** A checkpoint: the ledger's keys, as this browser or the server knows them, have to have signed it. */
async function judgeCheckpoint(text) {
  const judgement = new Judgement();
  let checkpoint, keys;
  await judgement.step("keys", async () => {
    checkpoint = readCheckpoint(text);
    const published = await publishedKeys();
    if (!published) throw new CannotJudge("no-keys");
    keys = await readKeys(published.ledger_id, published.keys.map((key) => key.note), memory?.held[published.ledger_id] ?? []);
    return { keys: keys.keys.map(toBase64).join(" ") };
  });
  await judgement.step("signature", async () => {
    const number = await signingKey(keys, checkpoint);
    if (!keys.trusted.has(number)) throw new Wrong("key-not-announced", "", number);
    return { number, time: checkpoint.time };
  });
  if (judgement.holds) await remember(judgement, keys, checkpoint);
  return judgement;
}

async function judgeName(text) {
  const judgement = new Judgement();
  await judgement.step("name", () => {
    if (!judgedLines.length) throw new CannotJudge("name-alone");
    return provenName(text.trim(), judgedLines);
  });
  return judgement;
}

/** The events of a receipt as sentences, and each as it stands. */
function eventsShown(lines) {
  const shown = element("ol", "events");
  shown.append(...lines.map((line) => {
    const item = element("li");
    const bytes = element("details");
    bytes.append(element("summary", "", `${line.type} · ${line.recorded_at}`), element("code", "", line.payload));
    item.append(element("p", "", phrase(EVENTS, line.type, line.data)), bytes);
    return item;
  }));
  return shown;
}

/** What was seen so far, and loudly what contradicts it. */
function showMemory() {
  const trees = Object.values(memory?.said.trees ?? {});
  at("kept").textContent = trees.reduce((sum, each) => sum + each.length, 0);
  at("kept-logs").textContent = trees.length;
  at("contradictions").replaceChildren(...(memory?.contradictions ?? []).map(({ code, before, now, seen }) => {
    const alarm = element("div", "alarm");
    alarm.append(element("h2", "", phrase(WORDS, code)), element("p", "", seen));
    alarm.append(...[before, now].map((text) => element("pre", "", text)));
    return alarm;
  }));
}

/** The visit itself: the newest checkpoint of each log is compared with those of earlier visits. */
async function visit() {
  showMemory();
  const published = memory && (await publishedKeys());
  if (!published) return;
  try {
    memory.meet(published.ledger_id);
    const keys = await readKeys(published.ledger_id, published.keys.map((key) => key.note), memory.held[published.ledger_id] ?? []);
    memory.keepKeys(keys);
    for (let log = 0, logs = 1; log < logs; log += 1) {
      const note = await newestCheckpoint(log);
      if (!note) continue;
      const checkpoint = readCheckpoint(note);
      if (!keys.trusted.has(await signingKey(keys, checkpoint))) throw new Wrong("key-not-announced");
      logs = Number(/^logs (\d+)$/m.exec(checkpoint.note.text)?.[1] ?? 1);
      await memory.keep(checkpoint, consistencyPath);
    }
  } catch (failure) {
    if (!(failure instanceof CannotJudge)) at("visit").append(element("p", "wrong", phrase(WORDS, failure.code ?? "unreadable")));
  }
  showMemory();
  at("visit").dataset.done = "true";
}

function begin() {
  at("judge").hidden = false;
  at("paste").addEventListener("submit", (event) => {
    event.preventDefault();
    judge(new Blob([at("text").value]));
  });
  at("file").addEventListener("change", ({ target }) => {
    if (target.files[0]) judge(target.files[0]);
  });
  const drop = at("drop");
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
    });
  }
  drop.addEventListener("drop", ({ dataTransfer }) => {
    judge(dataTransfer.files[0] ?? new Blob([dataTransfer.getData("text/plain")]));
  });
  at("forget").addEventListener("click", () => {
    memory?.forget();
    showMemory();
  });
  visit();
}

begin();
