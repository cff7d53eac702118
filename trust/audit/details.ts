import { hash } from "node:crypto";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AuditEntry, EntryDetail, RevealedDetail } from "./audit.ts";
import type { DetailStore, SealedDetail } from "./detail-store.ts";

/** Seals for one purpose at a time; what was sealed for another does not open. */
export interface DetailBox {
  seal(purpose: string, secret: Uint8Array): Uint8Array;
  open(purpose: string, sealed: Uint8Array): Uint8Array;
}

export interface DetailParts {
  readonly store: DetailStore;
  readonly box: DetailBox;
  readonly random: Random;
}

const saltBytes = 32;
const fieldsMost = 16;
/** A caller's own words (a browser's name, a reason) are cut there: they must not make an act fail, nor fill a disk. */
const valueCharactersMost = 1000;

/** Keeps what is personal about entries behind commitments: SHA-256 of 32 random bytes and the canonical JSON. */
export interface Details {
  commit(detail: EntryDetail): SealedDetail;
  put(details: readonly SealedDetail[]): Promise<void>;
  /** Of these entries, those that are still there, by their commitments. */
  reveal(entries: readonly AuditEntry[]): Promise<ReadonlyMap<string, RevealedDetail>>;
  erase(entries: readonly AuditEntry[]): Promise<number>;
}

export function createDetails({ store, box, random }: DetailParts): Details {
  const commitmentsIn = (entries: readonly AuditEntry[]) =>
    entries.map(({ detail }) => detail).filter((detail) => detail !== undefined);
  return {
    commit(detail) {
      const salted = Buffer.concat([random(Buffer.alloc(saltBytes)), canonical(detail)]);
      const commitment = hash("sha256", salted, "hex");
      const sealed = box.seal(purposeOf(commitment), salted);
      salted.fill(0);
      return { commitment, sealed };
    },
    put: store.put,
    async reveal(entries) {
      const found = await store.get(commitmentsIn(entries));
      return new Map(found.map(({ commitment, sealed }) => [commitment, opened(box, commitment, sealed)]));
    },
    erase: (entries) => store.erase(commitmentsIn(entries)),
  };
}

const purposeOf = (commitment: string) => `audit detail ${commitment}`;

/** Keys in order of their code units, no blanks (RFC 8785 for an object of strings). */
function canonical(detail: EntryDetail): Buffer {
  const fields = Object.entries(detail).sort(([a], [b]) => (a < b ? -1 : 1));
  if (fields.length > fieldsMost) throw new Problem("invalid", "a log entry has too many details");
  const cut = fields.map(([name, value]) => [name, value.slice(0, valueCharactersMost).toWellFormed()]);
  return Buffer.from(JSON.stringify(Object.fromEntries(cut)), "utf8");
}

function opened(box: DetailBox, commitment: string, sealed: Uint8Array): RevealedDetail {
  const salted = Buffer.from(box.open(purposeOf(commitment), sealed));
  if (hash("sha256", salted, "hex") !== commitment) {
    throw new Problem("damaged", "a detail of a log entry is not what the entry committed to");
  }
  return {
    salt: salted.subarray(0, saltBytes).toString("hex"),
    detail: JSON.parse(salted.subarray(saltBytes).toString("utf8")) as EntryDetail,
  };
}
