import type { Checkpoint } from "./audit.ts";
import { type NoteSigner, type NoteVerifier, textOfNote } from "./note.ts";

/**
 * C2SP tlog-checkpoint: origin, size in decimal, root in base64, each on a line; then one extension line of ours,
 * `at <epoch milliseconds>`, so that the time is signed too. Other logs' tools skip it.
 */
export function signCheckpoint(signer: NoteSigner, head: Omit<Checkpoint, "note">): Checkpoint {
  const text = `${head.origin}\n${head.size}\n${head.rootHash.toString("base64")}\nat ${head.at}\n`;
  return { ...head, note: signer.sign(text) };
}

/** A checkpoint from its note; undefined when the key did not sign it for its own log, or it says something else. */
export function openCheckpoint(verifier: NoteVerifier, note: string): Checkpoint | undefined {
  const text = verifier.open(note);
  if (text === undefined) return undefined;
  const parts = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:at ([0-9]{1,15})\n)?(?:[^\n]+\n)*$/.exec(
    text,
  );
  const [, origin, size, root, at] = parts ?? [];
  if (origin !== verifier.name || size === undefined || root === undefined) return undefined;
  const rootHash = Buffer.from(root, "base64");
  if (rootHash.toString("base64") !== root || !Number.isSafeInteger(Number(size))) return undefined;
  return { origin, size: Number(size), rootHash, at: Number(at ?? 0), note };
}

/** The log that a note speaks of, by its first line, before anybody has verified it. */
export function originOfNote(note: string): string | undefined {
  return textOfNote(note)?.split("\n", 1)[0];
}

/** The notes in a text that holds one behind the other, as they are exported. What is no note comes as one that opens by no key. */
export function splitNotes(text: string): string[] {
  const notes: string[] = [];
  let note = "";
  let signed = false;
  for (const line of text.split(/(?<=\n)/)) {
    const isSignature = line.startsWith("\u2014 ");
    if (signed && !isSignature) {
      notes.push(note);
      note = "";
    }
    signed = isSignature;
    note += line;
  }
  if (note !== "") notes.push(note);
  return notes;
}
