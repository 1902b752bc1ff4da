/** What the server adds to a judgement: proofs, checkpoints, keys and receipts, asked by way of the page. */

import { logOf } from "./memory.js";

/** The answer as text; null where there is none, such as without a network, or to somebody without the right. */
async function asked(path, parameters = {}) {
  if (document.getElementById("judge").dataset.evidence !== "yes") return null;
  const question = new URLSearchParams(parameters);
  try {
    const answer = await fetch(`/proofs/evidence/${path}?${question}`, { headers: { Accept: "application/json" } });
    return answer.status === 200 ? await answer.text() : null;
  } catch {
    return null;
  }
}

/** The path that proves that the larger tree of a log begins with the smaller one. */
export async function consistencyPath(origin, from, to) {
  const answer = await asked("consistency", { log: logOf(origin), from, to });
  return answer && JSON.parse(answer).path;
}

/** The newest checkpoint of a log, and what the ledger says of its keys. */
export function newestCheckpoint(log) {
  return asked("checkpoint", { log });
}

export async function publishedKeys() {
  const answer = await asked("keys");
  return answer && JSON.parse(answer);
}

/** The receipt of the command that led to a version of an account. */
export function receiptOf(accountId, version) {
  return asked(`receipts/${encodeURIComponent(accountId)}/${version}`);
}
