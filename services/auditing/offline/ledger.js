/** The ledger that a page carries: its lines, verified against the root that was signed, and its accounts. */

import { fromHex, fromUtf8, toHex } from "../../pages/static/proofs/bytes.js";
import { readKeys, signingKey } from "../../pages/static/proofs/keys.js";
import { leafHash, readLine } from "../../pages/static/proofs/line.js";
import { readCheckpoint } from "../../pages/static/proofs/note.js";
import { Tree } from "../../pages/static/proofs/tree.js";
import { Wrong, same } from "../../pages/static/proofs/wrong.js";
import { Account } from "./account.js";

const AT_ONCE = 2000;

/** The bytes of a part of the page: base64 of gzip. */
async function unpacked(element) {
  const packed = Uint8Array.from(atob(element.textContent), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function linesOf(id) {
  const element = document.getElementById(id);
  if (!element) return null;
  return fromUtf8(await unpacked(element)).split("\n").slice(0, -1);
}

/** All logs of the page, each verified; one that does not hold says why in `wrong`. */
export async function readLedger(progress) {
  const said = JSON.parse(document.getElementById("ledger").textContent);
  const logs = [];
  const accounts = new Map();
  for (const entry of said.logs) {
    const log = { ...entry, number: BigInt(entry.log), leaves: [], wrong: null };
    logs.push(log);
    try {
      await verify(log, said, accounts, progress);
    } catch (failure) {
      log.wrong = failure;
    }
  }
  return { ...said, logs, accounts };
}

async function verify(log, said, accounts, progress) {
  const checkpoint = readCheckpoint(log.checkpoint);
  same("other-log", `hourbook/${said.ledger_id}/log/${log.number}`, checkpoint.origin);
  log.size = checkpoint.size;
  const keys = await readKeys(said.ledger_id, said.keys, []);
  log.key = await signingKey(keys, checkpoint);
  if (!keys.trusted.has(log.key)) throw new Wrong("key-not-announced", "", log.key);
  log.time = checkpoint.time;
  const lines = await readLines(log, accounts, progress);
  log.events = lines.size;
  log.pieces = piecesOf(await linesOf(`tree-${log.number}`), lines, log.size);
  const tree = new Tree();
  for (const { leaves, hash } of log.pieces) await tree.append(hash, leaves);
  same("root", `${checkpoint.size} ${toHex(checkpoint.root)}`, `${tree.size} ${toHex(await tree.root())}`);
}

/** The leaf hash of each line by its position; the lines are shared out among the accounts. */
async function readLines(log, accounts, progress) {
  const texts = await linesOf(`log-${log.number}`);
  const found = new Map();
  for (let start = 0; start < texts.length; start += AT_ONCE) {
    const lines = texts.slice(start, start + AT_ONCE).map(readLine);
    const hashes = await Promise.all(lines.map((line) => leafHash(log.number, line)));
    for (const [index, line] of lines.entries()) {
      if (found.has(line.position)) throw new Wrong("line-form", "", line.position);
      found.set(line.position, hashes[index]);
      if (!accounts.has(line.account_id)) accounts.set(line.account_id, { log, lines: [] });
      accounts.get(line.account_id).lines.push(line);
    }
    progress?.(start + lines.length, texts.length);
  }
  return found;
}

/** The tree from left to right: the leaves of the lines that are here, and the roots of what stands between them. */
function piecesOf(between, hashes, size) {
  const pieces = between
    ? between.map((text) => JSON.parse(text)).map(({ leaves, hash }) => ({ leaves, hash: fromHex(hash) }))
    : Array.from({ length: Number(size) }, () => ({ leaves: 1, hash: null }));
  let position = 1;
  for (const piece of pieces) {
    const own = hashes.get(BigInt(position));
    if (own && piece.leaves === 1) piece.hash = own;
    else if (own || !piece.hash) throw new Wrong("root", "", position);
    position += piece.leaves;
  }
  if (BigInt(position - 1) !== size || [...hashes.keys()].some((each) => each > size)) throw new Wrong("root", size, position - 1);
  return pieces;
}

/** The root of the log's first events; null where the page does not hold so many leaves, or only parts of them. */
export async function rootOf(log, size) {
  const tree = new Tree();
  for (const { leaves, hash } of log.pieces) {
    if (BigInt(tree.size) >= size) break;
    await tree.append(hash, leaves);
  }
  return BigInt(tree.size) === size ? tree.root() : null;
}

/** What an account was, by what was recorded up to a position or an instant: after each event, and at the end. */
export function replay(account, knownAt, asOf) {
  const book = new Account();
  const steps = [];
  for (const line of account.lines) {
    if (!knownAt(line)) break;
    const movements = book.read(line);
    const recordedAt = Number(line.microseconds);
    steps.push({ line, movements, after: book.balance(Math.min(recordedAt, asOf)).balance });
  }
  return { steps, ...book.balance(asOf) };
}
