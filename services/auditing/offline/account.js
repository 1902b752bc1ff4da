/** An account by its events alone: what each moves, and the balance of any instant (rules 7, 8, 12 and 14). */

import { Wrong } from "../../pages/static/proofs/wrong.js";

const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/;

/** Stands where a lot's id would: the movement is one of the debt. */
export const OWED = null;

/** Microseconds since 1970 of an RFC 3339 timestamp. */
export function instantOf(text) {
  const [, seconds, fraction = "", offset] = INSTANT.exec(text) ?? [];
  const milliseconds = Date.parse(`${seconds}${offset}`);
  if (Number.isNaN(milliseconds)) throw new Wrong("time-form", "2026-03-10T00:00:00+03:00", text);
  return milliseconds * 1000 + Number(fraction.padEnd(6, "0"));
}

/** Signed minutes of a lot or of the debt, each with the instant from which it counts. */
export function movementsOf(type, data) {
  const at = data.effective_at;
  switch (type) {
    case "PackagePurchased": return [moved(data.package_id, data.minutes, at)];
    case "PackageRefunded": return [moved(data.lot_id, -data.refunded_minutes, at)];
    case "DebtSettled": return [moved(data.lot_id, -data.minutes, at), moved(OWED, -data.minutes, at)];
    case "DebtPaid": return [moved(OWED, -data.minutes, at)];
    case "TaskClosed": return charged(data);
    case "TaskCorrected": return [...takenBack(data, data.corrected_effective_at), ...charged(data)];
    case "TaskReopened":
    case "WarrantyMarked": return takenBack(data, at);
    default: return [];
  }
}

function moved(lot, minutes, at) {
  return { lot, minutes: Number(minutes), at: instantOf(at) };
}

function charged(data) {
  const draws = data.draws.map((draw) => moved(draw.lot_id, -draw.minutes, draw.effective_at ?? data.effective_at));
  return [...draws, ...(data.owed_minutes ? [moved(OWED, data.owed_minutes, data.effective_at)] : [])];
}

/** A settlement that went back is undone on both sides: where it settled, and where the debt arose (rule 8.1). */
function takenBack(data, closedAt) {
  const back = data.returned.flatMap(({ lot_id, minutes, effective_at, settlement }) => [
    moved(lot_id, minutes, effective_at),
    ...(settlement ? [moved(OWED, minutes, effective_at), moved(OWED, -minutes, closedAt)] : []),
  ]);
  const { cancelled_owed_minutes: cancelled, compensation: given } = data;
  return [
    ...back,
    ...(cancelled ? [moved(OWED, -cancelled, closedAt)] : []),
    ...(given ? [moved(given.package_id, given.minutes, given.starts_at)] : []),
  ];
}

/** What an account's events come to, one after another. */
export class Account {
  constructor() {
    this.lots = new Map();
    this.packages = new Map();
    this.owed = [];
    this.version = 0n;
  }

  /** One event more; returns what it moves. */
  read(line) {
    if (line.version !== this.version + 1n) throw new Wrong("version-missing", this.version + 1n, line.version);
    this.version = line.version;
    this.keepLots(line.type, line.data);
    const movements = movementsOf(line.type, line.data);
    for (const { lot, minutes, at } of movements) (lot === OWED ? this.owed : this.lots.get(lot).moves).push({ minutes, at });
    return movements;
  }

  keepLots(type, data) {
    const given = data.compensation;
    if (type === "PackagePurchased") this.open(data.package_id, data.effective_at, data.ends_at, data.carry_over);
    if (given) this.open(given.package_id, given.starts_at, given.ends_at, false);
    if (type === "PackageRefunded") this.lots.get(data.lot_id).refunded = true;
    if (type === "HoursCarriedOver") for (const share of data.lots) this.carry(this.lots.get(share.lot_id), data);
    if (type === "PackageExpired") {
      for (const lot of this.lots.values()) lot.expired ||= lot.holder === data.package_id;
    }
  }

  open(id, startsAt, endsAt, takesOver) {
    const pack = { id, startsAt: instantOf(startsAt), endsAt: instantOf(endsAt), takesOver, order: this.version };
    this.packages.set(id, pack);
    this.lots.set(id, { id, holder: id, endsAt: pack.endsAt, expired: false, refunded: false, moves: [] });
  }

  carry(lot, data) {
    Object.assign(lot, { holder: data.to_package_id, endsAt: instantOf(data.ends_at), expired: false });
  }

  /** The first package bought after this one and before its end, willing to take over, with a later end (rule 7.2). */
  successor(pack) {
    const heirs = [...this.packages.values()].filter((other) =>
      other.takesOver && !this.lots.get(other.id).refunded && isAfter(other, pack)
      && other.startsAt < pack.endsAt && pack.endsAt < other.endsAt);
    return heirs.reduce((first, other) => (first && isAfter(other, first) ? first : other), null);
  }

  /** When a lot's hours end, as if what is due had been recorded: carried from successor to successor (rule 7.5). */
  endOf(lot) {
    if (lot.expired) return lot.endsAt;
    let pack = this.packages.get(lot.holder);
    for (let heir = this.successor(pack); heir; heir = this.successor(pack)) pack = heir;
    return pack.endsAt;
  }

  /** Held and owed minutes at an instant, and the lots that hold them (rule 12). */
  balance(asOf) {
    const lots = [...this.lots.values()]
      .map((lot) => ({ id: lot.id, minutes: effective(lot.moves, asOf), endsAt: this.endOf(lot) }))
      .filter((lot) => lot.minutes && asOf < lot.endsAt);
    const held = lots.reduce((sum, lot) => sum + lot.minutes, 0);
    const owed = effective(this.owed, asOf);
    return { balance: held - owed, held, owed, lots };
  }
}

function isAfter(other, pack) {
  return other.startsAt > pack.startsAt || (other.startsAt === pack.startsAt && other.order > pack.order);
}

function effective(moves, asOf) {
  return moves.reduce((sum, { minutes, at }) => sum + (at <= asOf ? minutes : 0), 0);
}
