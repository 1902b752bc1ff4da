/** JSON in which nothing can be read in two ways: each name once in its object, and whole numbers only, of any size. */

import { Wrong } from "./wrong.js";

const NUMBER = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
const SPACE = /[ \t\n\r]*/y;
const DIGITS_MAX = 4300;
const DEPTH_MAX = 500;
const YES_OR_NO = new Set([
  "automatic", "carry_over", "forfeited", "only_difference", "reclaimed", "released", "sandbox", "settlement", "warranty",
]);

/** The value of a text: numbers as BigInt, objects without a prototype, in the order of their names. */
export function readJson(text) {
  if (typeof text !== "string") throw new Wrong("json-form", "JSON", typeof text);
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.space();
  if (reader.at !== text.length) reader.refuse();
  return value;
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  refuse(what = this.text.slice(this.at, this.at + 20)) {
    throw new Wrong("json-form", `JSON (${this.at})`, what);
  }

  matched(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  space() {
    this.matched(SPACE);
  }

  /** Whether the text goes on with that mark, which is then behind us. */
  has(mark) {
    this.space();
    if (!this.text.startsWith(mark, this.at)) return false;
    this.at += mark.length;
    return true;
  }

  value(depth) {
    if (depth > DEPTH_MAX) this.refuse();
    if (this.has("{")) return this.object(depth);
    if (this.has("[")) return this.list(depth);
    if (this.text[this.at] === '"') return this.string();
    if (this.has("true")) return true;
    if (this.has("false")) return false;
    if (this.has("null")) return null;
    const number = this.matched(NUMBER);
    if (!number || number.length > DIGITS_MAX) this.refuse();
    return BigInt(number);
  }

  object(depth) {
    const found = Object.create(null);
    if (this.has("}")) return found;
    do {
      this.space();
      const name = this.string();
      if (!this.has(":") || name in found) this.refuse(name);
      const value = this.value(depth + 1);
      if (typeof value === (YES_OR_NO.has(name) ? "bigint" : "boolean")) this.refuse(name);
      found[name] = value;
    } while (this.has(","));
    if (!this.has("}")) this.refuse();
    return found;
  }

  list(depth) {
    const found = [];
    if (this.has("]")) return found;
    do {
      found.push(this.value(depth + 1));
    } while (this.has(","));
    if (!this.has("]")) this.refuse();
    return found;
  }

  string() {
    const start = this.at;
    if (this.text[start] !== '"') this.refuse();
    let end = start + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === "\\" ? 2 : 1;
    this.at = end + 1;
    try {
      return JSON.parse(this.text.slice(start, end + 1));
    } catch {
      return this.refuse(this.text.slice(start, end + 1));
    }
  }
}

/** A text as the log writes it: ASCII alone, everything else escaped. */
export function writtenString(text) {
  return JSON.stringify(text).replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
