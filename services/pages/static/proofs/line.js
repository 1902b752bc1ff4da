/** An event of the log, as its line tells it, and its leaf. */

import { afterLengths, sha256, utf8 } from "./bytes.js";
import { readJson, writtenString } from "./strict_json.js";
import { Wrong, same } from "./wrong.js";

const ENVELOPE = {
  position: "bigint", event_id: "string", account_id: "string", version: "bigint", command_id: "string",
  fingerprint: "string", type: "string", schema_version: "bigint", recorded_at: "string",
};
const ACTOR = /^[A-Za-z0-9_-]{1,64}$/;
const RECORDED_AT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{6}))?Z$/;
const MARK = ',"data":';

/**
 * Read a line strictly: what is put together again from its values has to be the text, so that no byte of it is free.
 *
 * `payload` is the exact text of its data, `microseconds` when it was recorded, since 1970.
 */
export function readLine(text) {
  const cut = text.indexOf(MARK);
  if (cut < 0 || !text.endsWith("}")) throw new Wrong("line-form", "a line of the log", text.slice(0, 80));
  const envelope = text.slice(0, cut);
  const payload = text.slice(cut + MARK.length, -1);
  const { actor = "", ...said } = readJson(`${envelope}}`);
  said.fingerprint ??= "";
  same("line-form", Object.keys(ENVELOPE).join(), Object.keys(said).join());
  for (const [name, kind] of Object.entries(ENVELOPE)) same("line-form", `${name}: ${kind}`, `${name}: ${typeof said[name]}`);
  if (actor !== "" && !(typeof actor === "string" && ACTOR.test(actor))) throw new Wrong("line-form", "actor", actor);
  same("line-form", written(said, actor), envelope);
  const microseconds = microsecondsOf(said.recorded_at);
  return { ...said, text, actor, payload, microseconds, data: readJson(payload) };
}

/** The line up to its data, in its one form. */
function written(said, actor) {
  const values = Object.keys(ENVELOPE).map((name) => {
    const value = said[name];
    return `"${name}":${typeof value === "bigint" ? value : value === "" && name === "fingerprint" ? "null" : writtenString(value)}`;
  });
  return `{${[...values, ...(actor ? [`"actor":"${actor}"`] : [])].join()}`;
}

/** Whole microseconds since 1970, of an instant in the one form in which the log writes it. */
export function microsecondsOf(instant) {
  const [, seconds, fraction] = RECORDED_AT.exec(instant) ?? [];
  const milliseconds = Date.parse(`${seconds}Z`);
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString().slice(0, 19) !== seconds || fraction === "000000") {
    throw new Wrong("time-form", "2026-11-03T13:00:00.120000Z", instant);
  }
  return BigInt(milliseconds) * 1000n + BigInt(fraction ?? 0);
}

/** What is hashed of an event: every field after its length, in the order of FORMAT.md. */
export function leafData(log, line) {
  const form = line.actor ? `hourbook event 2 ${line.actor}` : "hourbook event 1";
  return afterLengths(
    form, log, line.position, line.account_id, line.version, line.event_id, line.command_id, line.type,
    line.schema_version, line.microseconds, utf8(line.payload), line.fingerprint,
  );
}

export function leafHash(log, line) {
  return sha256(Uint8Array.of(0), leafData(log, line));
}
