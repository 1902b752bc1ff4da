/** The names of people that an event holds as commitments. */

import { afterLengths, sha256, toHex, utf8, joined } from "./bytes.js";
import { readJson, writtenString } from "./strict_json.js";
import { Wrong, same } from "./wrong.js";

const SALT = /^[0-9a-f]{32}$/;

/** The commitment to a name, in the form that another one has. */
export async function committed(form, salt, name) {
  const second = form.startsWith("sha256-2:");
  const hashed = second ? afterLengths("hourbook name 2", salt, name) : joined(salt, name);
  return `${second ? "sha256-2" : "sha256"}:${toHex(await sha256(hashed))}`;
}

/** The name of a line of names; Wrong unless the event at its position holds the commitment, which salt and text make. */
export async function provenName(text, lines) {
  const { position, commitment, salt, text: name } = readJson(text);
  const event = lines.find((line) => line.position === position);
  if (!event?.payload.includes(writtenString(String(commitment)))) throw new Wrong("name-not-in-event", commitment, position);
  if (typeof salt !== "string" || !SALT.test(salt)) throw new Wrong("salt-form", "0-9 a-f × 32", salt);
  const bytes = Uint8Array.from(salt.match(/../g), (pair) => Number.parseInt(pair, 16));
  same("commitment", commitment, await committed(commitment, bytes, utf8(name)));
  return { position, name };
}
