/** Signed notes (C2SP signed-note), and the checkpoints that are such notes. */

import { fromBase64, sha256, toHex, utf8 } from "./bytes.js";
import { CannotJudge, Wrong, same } from "./wrong.js";

const SIZE = /^(?:0|[1-9][0-9]{0,18})$/;
const imported = new Map();

/** A note: its text, and who says so. Lines are parted by LF alone. */
export function readNote(note) {
  const cut = typeof note === "string" ? note.lastIndexOf("\n\n") : -1;
  if (cut < 0 || !note.endsWith("\n") || cut + 2 === note.length) throw new Wrong("note-form", "", note);
  const signatures = note.slice(cut + 2, -1).split("\n").map((line) => {
    const [dash, name, encoded, ...more] = line.split(" ");
    if (dash !== "\u2014" || encoded === undefined || more.length) throw new Wrong("note-form", "", line);
    const blob = fromBase64(encoded);
    return { name, keyId: toHex(blob.slice(0, 4)), signature: blob.slice(4) };
  });
  return { text: note.slice(0, cut + 1), signatures };
}

/** Four bytes that say which key of a name it is; 01 stands for Ed25519. */
export async function keyIdOf(name, publicKey) {
  return toHex((await sha256(utf8(`${name}\n`), Uint8Array.of(1), publicKey)).slice(0, 4));
}

/** Whether that key signed it; a signature in the key's name that does not fit is Wrong. */
export async function isSignedBy(note, publicKey, name) {
  const keyId = await keyIdOf(name, publicKey);
  const found = note.signatures.find((each) => each.name === name && each.keyId === keyId);
  if (!found) return false;
  const key = await verifyingKey(publicKey);
  if (!(await crypto.subtle.verify("Ed25519", key, found.signature, utf8(note.text)))) throw new Wrong("signature", keyId, name);
  return true;
}

async function verifyingKey(publicKey) {
  const name = toHex(publicKey);
  if (!imported.has(name)) {
    if (publicKey.length !== 32) throw new Wrong("key-form", 32, publicKey.length);
    try {
      imported.set(name, await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]));
    } catch (failure) {
      throw failure.name === "NotSupportedError" ? new CannotJudge("no-ed25519") : new Wrong("key-form", "Ed25519", name);
    }
  }
  return imported.get(name);
}

/** What was signed: the log of that origin had so many events, and this root. */
export function readCheckpoint(text) {
  const note = readNote(text);
  const [origin, size, root, ...further] = note.text.split("\n");
  if (!SIZE.test(size) || root === undefined) throw new Wrong("checkpoint-form", "", note.text);
  const time = further.find((line) => line.startsWith("time "))?.slice(5) ?? "";
  return { note, written: text, origin, size: BigInt(size), root: fromBase64(root), time };
}
