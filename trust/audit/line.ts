import { Problem } from "#base/problem";
import type { AuditEntry } from "./audit.ts";

/** An entry as it is hashed, without newline. Tokens and numbers only, so this is ample. */
export const lineBytesMost = 4096;
const countsMost = 16;
/** So many tokens fit into a line beside the rest. */
export const studiesMost = 100;

/**
 * The one line of JSON of an entry: keys in a fixed order, counts by name, nothing that is absent. Control characters are
 * escaped by JSON, so an entry is always one line.
 * Throws Problem "invalid" when it is too long or a number is not one.
 */
export function lineOf(entry: AuditEntry): Buffer {
  const counts = Object.entries(entry.counts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (counts.length > countsMost || ![entry.at, ...counts.map(([, count]) => count)].every(Number.isSafeInteger)) {
    throw new Problem("invalid", "an audit entry has a count that is no whole number, or too many");
  }
  const line = Buffer.from(
    JSON.stringify({
      at: entry.at,
      actor: entry.actor,
      act: entry.act,
      ...(entry.on === undefined ? {} : { on: { kind: entry.on.kind, id: entry.on.id } }),
      ...(entry.studies === undefined ? {} : { studies: entry.studies }),
      ...(entry.purpose === undefined ? {} : { purpose: entry.purpose }),
      outcome: entry.outcome,
      ...(counts.length === 0 ? {} : { counts: Object.fromEntries(counts) }),
      ...(entry.detail === undefined ? {} : { detail: entry.detail }),
    }),
  );
  if (line.length > lineBytesMost) throw new Problem("invalid", "an audit entry is too long");
  return line;
}

/** The entry of a line of ours. Throws Problem "damaged" for anything else. */
export function entryOf(line: Uint8Array): AuditEntry {
  try {
    const entry = JSON.parse(Buffer.from(line).toString("utf8")) as AuditEntry;
    if (typeof entry.at === "number" && typeof entry.act === "string") return entry;
  } catch (cause) {
    throw new Problem("damaged", "an audit entry cannot be read", { cause });
  }
  throw new Problem("damaged", "an audit entry cannot be read");
}
