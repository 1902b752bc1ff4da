/** The keys of a ledger, by the notes that announce them. */

import { fromBase64, toBase64 } from "./bytes.js";
import { isSignedBy, readNote } from "./note.js";
import { Wrong, same } from "./wrong.js";

/**
 * Public keys by number, and which of them are trusted: those that are held, or else the first; and each that the one
 * before it announced. Wrong where a note does not hold, or where one that is held is not among them.
 *
 * `held`: keys that this browser, or the reader, has from before, in base64.
 */
export async function readKeys(ledgerId, notes, held) {
  const name = `hourbook/${ledgerId}/keys`;
  const keys = [];
  const trusted = new Set();
  for (const [index, text] of notes.entries()) {
    const number = index + 1;
    const note = readNote(text);
    const [stated, ordinal, encoded] = note.text.split("\n");
    same("key-order", `${name} ${number}`, `${stated} ${ordinal}`);
    const key = fromBase64(encoded ?? "");
    if (!(await isSignedBy(note, key, name))) throw new Wrong("key-not-its-own", number);
    const announced = trusted.has(number - 1) && (await isSignedBy(note, keys[index - 1], name));
    if (announced || held.includes(encoded) || (!held.length && number === 1)) trusted.add(number);
    keys.push(key);
  }
  const shown = keys.map(toBase64);
  for (const key of held) if (!shown.includes(key)) throw new Wrong("key-missing", key, shown.join(", "));
  return { ledgerId, keys, trusted };
}

/** The number of the key that signed a checkpoint. */
export async function signingKey(keys, checkpoint) {
  for (const [index, key] of keys.keys.entries()) {
    if (await isSignedBy(checkpoint.note, key, checkpoint.origin)) return index + 1;
  }
  throw new Wrong("signed-by-nobody", keys.keys.length);
}
