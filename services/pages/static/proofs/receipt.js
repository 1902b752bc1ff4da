/** A receipt judged by itself: form, leaves, paths, root, signature, keys. Asks nobody. */

import { fromHex, fromUtf8, toBase64, toHex } from "./bytes.js";
import { readKeys, signingKey } from "./keys.js";
import { leafHash, readLine } from "./line.js";
import { readCheckpoint } from "./note.js";
import { readJson } from "./strict_json.js";
import { rootAlong } from "./tree.js";
import { CannotJudge, Wrong, same } from "./wrong.js";

/** The steps of a judgement, each true, false, or null where this browser cannot tell, or an earlier step does not hold. */
export class Judgement {
  constructor() {
    this.steps = [];
  }

  /** Take a step, if all before it held; returns what it found. */
  async step(name, action) {
    if (this.steps.some((step) => step.holds !== true)) {
      this.steps.push({ name, holds: null, code: "not-reached", values: {} });
      return null;
    }
    try {
      const values = await action();
      this.steps.push({ name, holds: true, values });
      return values;
    } catch (failure) {
      const cannot = failure instanceof CannotJudge;
      const { code = "unreadable", expected = "", found = String(failure) } = failure;
      this.steps.push({ name, holds: cannot ? null : false, code, values: { expected, found } });
      return null;
    }
  }

  /** True or false; null where nothing is false but something could not be judged. */
  get holds() {
    const all = this.steps.map((step) => step.holds);
    return all.includes(false) ? false : all.includes(null) ? null : true;
  }
}

/** Judge the bytes of a receipt. `held`: keys of ledgers that are known from before, by ledger id, in base64. */
export async function judgeReceipt(bytes, held = {}) {
  const judgement = new Judgement();
  let receipt, lines, checkpoint, log, ledgerId, leaves, keys, signer;
  await judgement.step("form", () => {
    receipt = readReceipt(fromUtf8(bytes));
    ({ log } = receipt);
    checkpoint = readCheckpoint(receipt.checkpoint);
    ledgerId = ledgerOf(checkpoint.origin, log);
    return { log, account: receipt.account_id, command: receipt.command_id, events: receipt.lines.length };
  });
  await judgement.step("events", async () => {
    lines = receipt.lines.map(readLine);
    requireOneCommand(receipt, lines);
    leaves = await Promise.all(lines.map((line) => leafHash(log, line)));
    return { leaves: leaves.map(toHex).join(" ") };
  });
  await judgement.step("paths", async () => {
    for (const [index, line] of lines.entries()) {
      const path = receipt.proofs[index].path.map(fromHex);
      const root = await rootAlong(leaves[index], line.position, checkpoint.size, path);
      same("root", toHex(checkpoint.root), toHex(root));
    }
    return { root: toHex(checkpoint.root), size: checkpoint.size };
  });
  await judgement.step("keys", async () => {
    keys = await readKeys(ledgerId, receipt.keys, held[ledgerId] ?? []);
    return { keys: keys.keys.map(toBase64).join(" "), known: held[ledgerId]?.length ?? 0 };
  });
  await judgement.step("signature", async () => {
    signer = await signingKey(keys, checkpoint);
    if (!keys.trusted.has(signer)) throw new Wrong("key-not-announced", "", signer);
    return { number: signer, time: checkpoint.time };
  });
  return { judgement, receipt, lines, checkpoint, ledgerId, keys };
}

function readReceipt(text) {
  const said = readJson(text);
  if (said === null || typeof said !== "object") throw new Wrong("receipt-form");
  const texts = (list) => Array.isArray(list) && list.every((each) => typeof each === "string");
  const proofs = Array.isArray(said?.proofs) && said.proofs.every((proof) => typeof proof?.position === "bigint" && texts(proof.path));
  const named = typeof said.log === "bigint" && texts([said.account_id, said.command_id]);
  if (!proofs || !named || !texts(said.lines) || !texts(said.keys)) throw new Wrong("receipt-form");
  if (!said.lines.length || said.lines.length !== said.proofs.length) {
    throw new Wrong("proof-for-each", said.lines.length, said.proofs.length);
  }
  return said;
}

/** The ledger that a checkpoint's first line names; Wrong if it is of another log. */
function ledgerOf(origin, log) {
  const [, ledgerId, stated] = /^hourbook\/(.*?)\/log\/(.*?)(?:\/epoch\/[1-9][0-9]*)?$/s.exec(origin) ?? [];
  same("other-log", String(log), stated);
  return ledgerId;
}

/** All lines are of one command of one account, at the positions of their proofs; the first alone has its fingerprint. */
function requireOneCommand(receipt, lines) {
  for (const [index, line] of lines.entries()) {
    const { position } = receipt.proofs[index];
    const expected = [receipt.account_id, receipt.command_id, lines[0].version + BigInt(index), position];
    const found = [line.account_id, line.command_id, line.version, line.position];
    same("one-command", JSON.stringify(expected.map(String)), JSON.stringify(found.map(String)));
    same("fingerprint", index === 0, line.fingerprint !== "");
  }
}
