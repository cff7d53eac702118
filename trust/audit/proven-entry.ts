import { Problem } from "#base/problem";
import type { AuditEntry, AuditLog } from "./audit.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { entryOf } from "./line.ts";
import { createCosignatureVerifier, createNoteVerifier } from "./note.ts";
import { leafHash, verifyInclusion } from "./tree.ts";

/** One entry with all that it takes to prove that the log holds it, without the rest of the log. */
export interface ProvenEntry {
  readonly index: number;
  /** The line as it was hashed. */
  readonly line: string;
  /** Audit path to the root that the checkpoint signs (RFC 6962 §2.1.1), base64. */
  readonly path: readonly string[];
  /** Signed note of a checkpoint behind the entry. */
  readonly checkpoint: string;
}

/** Signs the log as it stands and proves one of its entries. */
export async function proveEntry(audit: AuditLog, index: number): Promise<ProvenEntry> {
  const { size, note } = await audit.checkpoint();
  const [line] = await audit.lines(index, index + 1);
  if (line === undefined) throw new Problem("absent", "the log has no such entry");
  const path = (await audit.prove(index, size)).map((hash) => hash.toString("base64"));
  return { index, line: line.toString("utf8"), path, checkpoint: note };
}

/**
 * The entry, when the key, and those of all these witnesses, have signed a log that holds it. Problem "damaged" when they have not,
 * "invalid" for what is no verifier key.
 */
export function openProvenEntry(
  proven: ProvenEntry,
  verifierKey: string,
  witnessKeys: readonly string[] = [],
): AuditEntry & { readonly provenAt: number } {
  const checkpoint = openCheckpoint(createNoteVerifier(verifierKey), proven.checkpoint);
  const line = Buffer.from(proven.line, "utf8");
  const path = proven.path.map((hash) => Buffer.from(hash, "base64"));
  const isHeld =
    checkpoint !== undefined &&
    witnessKeys.map(createCosignatureVerifier).every(({ find }) => typeof find(proven.checkpoint) === "object") &&
    verifyInclusion(leafHash(line), proven.index, checkpoint.size, path, checkpoint.rootHash);
  if (!isHeld) {
    throw new Problem("damaged", "no log that these keys signed holds the entry", {
      remedy: "compare the key with the one that the log's keeper has published, and keep the file as it is",
    });
  }
  return { ...entryOf(line), provenAt: checkpoint.at };
}
