/** Bytes, and the texts that stand for them. */

import { CannotJudge, Wrong, same } from "./wrong.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LONE_SURROGATE = /\p{Surrogate}/u;
const HASH = /^[0-9a-f]{64}$/;

/** The bytes of a text in UTF-8; Wrong for half a character, which has none. */
export function utf8(text) {
  if (LONE_SURROGATE.test(text)) throw new Wrong("not-text");
  return encoder.encode(text);
}

/** The text of bytes in UTF-8, with nothing replaced and nothing dropped. */
export function fromUtf8(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Wrong("not-text");
  }
}

export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Each field as its length in bytes, four bytes, big-endian, and then its bytes. */
export function afterLengths(...fields) {
  return joined(...fields.flatMap((field) => {
    const bytes = field instanceof Uint8Array ? field : utf8(String(field));
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes.length);
    return [length, bytes];
  }));
}

export async function sha256(...parts) {
  if (!globalThis.crypto?.subtle) throw new CannotJudge("no-cryptography");
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of a hash: 64 digits, lower case, and no other spelling. */
export function fromHex(text) {
  if (typeof text !== "string" || !HASH.test(text)) throw new Wrong("hash-form", "0-9 a-f × 64", text);
  return Uint8Array.from(text.match(/../g), (pair) => Number.parseInt(pair, 16));
}

/** The bytes of base64 in its one form, padded and without free bits. */
export function fromBase64(text) {
  let decoded;
  try {
    decoded = atob(text);
  } catch {
    throw new Wrong("base64-form", "base64", text);
  }
  same("base64-form", btoa(decoded), text);
  return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
}

export function toBase64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
