/**
 * What this browser has seen of logs: checkpoints whose signature held, and keys. So it is a witness: what contradicts
 * an earlier visit is kept as evidence, and shown from then on.
 */

import { fromHex, toBase64, toHex } from "./bytes.js";
import { requireConsistent } from "./tree.js";
import { Wrong } from "./wrong.js";

const NAME = "hourbook-witness";
const KEPT_MAX = 200;

export class Memory {
  constructor(storage = localStorage) {
    this.storage = storage;
    this.said = JSON.parse(storage.getItem(NAME) ?? '{"ledger":null,"keys":{},"trees":{},"contradictions":[]}');
  }

  save() {
    this.storage.setItem(NAME, JSON.stringify(this.said));
  }

  forget() {
    this.storage.removeItem(NAME);
    this.said = { ledger: null, keys: {}, trees: {}, contradictions: [] };
  }

  /** Pairs of notes that cannot both be of one honest ledger. */
  get contradictions() {
    return this.said.contradictions;
  }

  /** The first key of each ledger that was seen: those that follow go back to it. */
  get held() {
    return Object.fromEntries(Object.entries(this.said.keys).map(([ledger, keys]) => [ledger, [keys[1]]]));
  }

  keysOf(ledgerId) {
    return this.said.keys[ledgerId];
  }

  /** The ledger that this address serves; Wrong if it was another one before. */
  meet(ledgerId) {
    this.said.ledger ??= ledgerId;
    this.save();
    if (this.said.ledger !== ledgerId) throw this.contradiction("other-ledger", this.said.ledger, ledgerId);
  }

  /** Keep the trusted keys of a ledger; Wrong where another one was announced under the same number before. */
  keepKeys({ ledgerId, keys, trusted }) {
    const known = (this.said.keys[ledgerId] ??= {});
    for (const number of trusted) {
      const key = toBase64(keys[number - 1]);
      known[number] ??= key;
      if (known[number] !== key) throw this.contradiction("key-changed", known[number], key);
    }
    this.save();
  }

  /**
   * Keep a checkpoint, and compare it with those before and after it: "memory-first", "memory", or "not-compared" where
   * `ask` gives no proof (null). Wrong where a later tree does not contain an earlier one, or trees of one size differ.
   */
  async keep(checkpoint, ask) {
    const trees = (this.said.trees[checkpoint.origin] ??= []);
    const there = trees.find((tree) => BigInt(tree.size) === checkpoint.size);
    if (there && there.root !== toHex(checkpoint.root)) throw this.contradiction("tree-changed", there.note, checkpoint.written);
    if (!there) insert(trees, checkpoint);
    this.save();
    return this.compare(checkpoint.origin, ask);
  }

  /** Compare each tree of a log with the one before it, where that is not done yet. */
  async compare(origin, ask) {
    const trees = this.said.trees[origin];
    let open = false;
    for (let index = 1; index < trees.length; index += 1) {
      const [older, younger] = [trees[index - 1], trees[index]];
      if (younger.follows) continue;
      const path = await ask(origin, older.size, younger.size);
      if (path) await this.requireFollows(older, younger, path);
      open ||= !path;
    }
    this.save();
    return { state: open ? "not-compared" : trees.length > 1 ? "memory" : "memory-first", kept: trees.length - 1 };
  }

  async requireFollows(older, younger, path) {
    try {
      await requireConsistent(treeOf(older), treeOf(younger), path.map(fromHex));
    } catch {
      throw this.contradiction("tree-changed", older.note, younger.note);
    }
    younger.follows = true;
  }

  contradiction(code, before, now) {
    const known = this.contradictions.some((each) => each.before === before && each.now === now);
    if (!known) this.contradictions.push({ code, before, now, seen: new Date().toISOString() });
    this.save();
    return new Wrong(code, before, now);
  }
}

function treeOf({ size, root }) {
  return { size: BigInt(size), root: fromHex(root) };
}

/** In order of size; what stands behind it has to be compared with it. Where there are too many, one inside goes. */
function insert(trees, { size, root, written }) {
  const place = trees.findIndex((tree) => BigInt(tree.size) > size);
  const at = place < 0 ? trees.length : place;
  trees.splice(at, 0, { size: String(size), root: toHex(root), note: written, follows: false });
  if (trees[at + 1]) trees[at + 1].follows = false;
  if (trees.length > KEPT_MAX) {
    const spare = trees.findIndex((tree, index) => index > 0 && tree.follows && trees[index + 1]?.follows);
    if (spare > 0) trees.splice(spare, 1);
  }
}

/** The number of the log that an origin names; -1 for that of access. */
export function logOf(origin) {
  const log = origin.replace(/\/epoch\/[1-9][0-9]*$/, "");
  return log.endsWith("/access") ? "-1" : log.split("/log/")[1];
}

