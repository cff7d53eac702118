import { type Bytes, fromBase64, isSame, joined, sha256, toBase64, toHex, utf8 } from "./bytes.ts";
import {
  type Checkpoint,
  type Note,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  type Signed,
  signedByLog,
  signedByWitness,
  type VerifierKey,
} from "./note.ts";

/** What the server says of one entry. */
export interface GivenProof {
  readonly index: number;
  /** The entry as it was hashed. */
  readonly line: string;
  /** Audit path to the root that the checkpoint signs, base64. */
  readonly path: readonly string[];
  readonly checkpoint: string;
  readonly verifierKey: string;
}

/** What the page shows of the entry: it must be what was hashed, and nothing else. */
export type ShownEntry = Readonly<Record<string, unknown>>;

/** What the reader has by another way than this server. */
export interface Trusted {
  /** Verifier keys of the log and of witnesses, one a line. */
  readonly keys: string;
  /** A checkpoint of this log that was kept from before. */
  readonly checkpoint: string;
  /** Audit path of the entry in the tree of that checkpoint, base64; undefined where it holds no such entry. */
  readonly pathThere?: readonly string[] | undefined;
}

export const nothingTrusted: Trusted = { keys: "", checkpoint: "" };

/** One hash on the way to the root. */
export interface PathStep {
  /** Where the sibling stands. */
  readonly side: "left" | "right";
  readonly sibling: string;
  readonly result: string;
}

export interface CheckedStep {
  readonly id: "shown" | "leaf" | "path" | "root" | "key" | "signature" | "witnesses" | "kept";
  /** `note`: nothing was asked of it. */
  readonly outcome: "holds" | "fails" | "unknown" | "note";
  readonly says: string;
}

export interface CheckedProof {
  /** `undecided`: all that could be checked here holds, but something could not. */
  readonly verdict: "proven" | "refused" | "undecided";
  readonly steps: readonly CheckedStep[];
  readonly leaf: string;
  readonly path: readonly PathStep[];
  readonly checkpoint: Checkpoint | undefined;
  readonly witnesses: readonly string[];
}

/** Checks by itself what the server says of an entry: from its bytes to the signed root, each step told. */
export async function checkEntry(
  proof: GivenProof,
  trusted: Trusted = nothingTrusted,
  shown?: ShownEntry,
): Promise<CheckedProof> {
  const note = parseNote(proof.checkpoint);
  const checkpoint = note && parseCheckpoint(note.text);
  const leaf = await sha256(joined(Uint8Array.of(0), utf8(proof.line)));
  const way = await wayToRoot(leaf, proof.index, checkpoint?.size ?? 0, proof.path);
  const keys = await keysIn(trusted.keys);
  const key = keys.log ?? (await parseVerifierKey(proof.verifierKey));
  const steps: CheckedStep[] = [
    ...(shown === undefined ? [] : [shownStep(proof.line, shown)]),
    { id: "leaf", outcome: "note", says: `The entry's ${utf8(proof.line).length} bytes have the hash ${toHex(leaf)}` },
    pathStep(way, proof),
    rootStep(way, checkpoint),
    keyStep(key, keys, proof, checkpoint),
    await signatureStep(note, key),
    await witnessStep(note, keys.witnesses),
    await keptStep(trusted, leaf, proof.index, key, checkpoint),
  ];
  const outcomes = steps.map(({ outcome }) => outcome);
  return {
    verdict: outcomes.includes("fails") ? "refused" : outcomes.includes("unknown") ? "undecided" : "proven",
    steps,
    leaf: toHex(leaf),
    path: way?.steps ?? [],
    checkpoint,
    witnesses: witnessNames(note, key),
  };
}

function shownStep(line: string, shown: ShownEntry): CheckedStep {
  const isShown = isAlike(parsed(line), JSON.parse(JSON.stringify(shown)));
  return isShown
    ? { id: "shown", outcome: "holds", says: "The entry that is proven says what is shown above" }
    : { id: "shown", outcome: "fails", says: "The entry that is proven is not the one that is shown above" };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Values of JSON, whatever the order of their names. */
function isAlike(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return one === other;
  const names = Object.keys(one);
  return (
    Array.isArray(one) === Array.isArray(other) &&
    names.length === Object.keys(other).length &&
    names.every((name) => isAlike(Reflect.get(one, name), Reflect.get(other, name)))
  );
}

interface Way {
  readonly root: Bytes;
  readonly steps: readonly PathStep[];
}

/** RFC 9162 §2.1.3.2; undefined for what is no path of that entry in a tree of that size. */
async function wayToRoot(leaf: Bytes, index: number, size: number, path: readonly string[]): Promise<Way | undefined> {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size)) return undefined;
  const steps: PathStep[] = [];
  let [node, last, hashed] = [index, size - 1, leaf];
  for (const text of path) {
    const sibling = fromBase64(text);
    if (last === 0 || sibling?.length !== 32) return undefined;
    const isRight = node % 2 === 1 || node === last;
    hashed = await sha256(joined(Uint8Array.of(1), ...(isRight ? [sibling, hashed] : [hashed, sibling])));
    if (isRight) while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    steps.push({ side: isRight ? "left" : "right", sibling: toHex(sibling), result: toHex(hashed) });
  }
  return last === 0 ? { root: hashed, steps } : undefined;
}

function pathStep(way: Way | undefined, { index, path }: GivenProof): CheckedStep {
  if (way === undefined) {
    return {
      id: "path",
      outcome: "fails",
      says: `These ${path.length} hashes are no way from entry ${index} to a root`,
    };
  }
  const hashes = way.steps.length === 1 ? "one hash" : `${way.steps.length} hashes`;
  return { id: "path", outcome: "holds", says: `With ${hashes} of its neighbours it leads to a root` };
}

function rootStep(way: Way | undefined, checkpoint: Checkpoint | undefined): CheckedStep {
  if (checkpoint === undefined) return { id: "root", outcome: "fails", says: "What came with it is no checkpoint" };
  if (way !== undefined && isSame(way.root, checkpoint.root)) {
    return {
      id: "root",
      outcome: "holds",
      says: `It is the root that the checkpoint of ${checkpoint.size} entries names`,
    };
  }
  return { id: "root", outcome: "fails", says: "It is not the root that the checkpoint names: the entry is another" };
}

interface Keys {
  readonly log: VerifierKey | undefined;
  readonly witnesses: readonly VerifierKey[];
  readonly isAllRead: boolean;
}

async function keysIn(text: string): Promise<Keys> {
  const lines = text.split("\n").map((line) => line.trim());
  const parsed = await Promise.all(lines.filter((line) => line !== "").map(parseVerifierKey));
  const found = parsed.filter((key) => key !== undefined);
  return {
    log: found.find(({ kind }) => kind === "log"),
    witnesses: found.filter(({ kind }) => kind === "witness"),
    isAllRead: found.length === parsed.length,
  };
}

function keyStep(
  key: VerifierKey | undefined,
  keys: Keys,
  proof: GivenProof,
  checkpoint: Checkpoint | undefined,
): CheckedStep {
  const failing = (says: string): CheckedStep => ({ id: "key", outcome: "fails", says });
  if (!keys.isAllRead) return failing("A key that you gave is not a whole one: copy it as name+hash+base64");
  if (key?.kind !== "log") return failing("The key that came with it is no key of a log");
  if (checkpoint !== undefined && checkpoint.origin !== key.name) {
    return failing(`The checkpoint is of the log ${checkpoint.origin}, the key of ${key.name}`);
  }
  if (keys.log === undefined) {
    return {
      id: "key",
      outcome: "note",
      says: "The key is the one that this server gave: give the key that you have by another way to be sure of it",
    };
  }
  const isTheirs = keys.log.text === proof.verifierKey;
  return isTheirs
    ? { id: "key", outcome: "holds", says: "The server's key is the one that you gave" }
    : failing("The server's key is not the one that you gave");
}

async function signatureStep(note: Note | undefined, key: VerifierKey | undefined): Promise<CheckedStep> {
  const signed: Signed = note === undefined || key === undefined ? "absent" : await signedByLog(note, key);
  const says: Readonly<Record<Signed, string>> = {
    holds: `The checkpoint is signed by the log's key ${key?.name ?? ""}`,
    fails: "The signature is false: the checkpoint is not what was signed",
    absent: "The log's key has not signed this checkpoint",
    unknown: "This browser cannot check signatures by Ed25519: use a newer one, or leadglass audit verify",
  };
  return { id: "signature", outcome: signed === "absent" ? "fails" : signed, says: says[signed] };
}

function witnessNames(note: Note | undefined, key: VerifierKey | undefined): string[] {
  return [...new Set(note?.signatures.map(({ name }) => name).filter((name) => name !== key?.name))];
}

async function witnessStep(note: Note | undefined, keys: readonly VerifierKey[]): Promise<CheckedStep> {
  const names = note?.signatures.slice(1).map(({ name }) => name) ?? [];
  if (note === undefined || keys.length === 0) {
    const says =
      names.length === 0
        ? "No witness has signed this checkpoint"
        : `It carries signatures of ${names.join(", ")}: give their keys to have them checked`;
    return { id: "witnesses", outcome: "note", says };
  }
  const found = await Promise.all(keys.map(async (key) => ({ key, ...(await signedByWitness(note, key)) })));
  const wrong = found.find(({ signed }) => signed === "fails" || signed === "absent");
  if (wrong !== undefined) {
    const how = wrong.signed === "fails" ? "has a false signature of" : "is not signed by";
    return { id: "witnesses", outcome: "fails", says: `The checkpoint ${how} the witness ${wrong.key.name}` };
  }
  if (found.some(({ signed }) => signed === "unknown")) {
    return { id: "witnesses", outcome: "unknown", says: "This browser cannot check the witnesses' signatures" };
  }
  const said = found.map(({ key, at }) => `${key.name} at ${new Date(at).toISOString()}`);
  return { id: "witnesses", outcome: "holds", says: `Signed by ${said.join(", ")} too` };
}

/** The strongest: against a tree that the reader held before, whatever the server would like it to have been. */
async function keptStep(
  { checkpoint: text, pathThere }: Trusted,
  leaf: Bytes,
  index: number,
  key: VerifierKey | undefined,
  current: Checkpoint | undefined,
): Promise<CheckedStep> {
  const tell = (outcome: CheckedStep["outcome"], says: string): CheckedStep => ({ id: "kept", outcome, says });
  if (text.trim() === "") return tell("note", "You gave no checkpoint that you kept from before");
  const note = parseNote(asKept(text));
  const kept = note && parseCheckpoint(note.text);
  if (note === undefined || kept === undefined) return tell("fails", "What you gave is no checkpoint: copy all of it");
  const signed: Signed = key === undefined ? "absent" : await signedByLog(note, key);
  if (signed !== "holds") {
    if (signed === "unknown") return tell("unknown", "This browser cannot check the checkpoint that you kept");
    return tell("fails", "The checkpoint that you kept is not signed by this log's key");
  }
  if (current !== undefined && kept.size > current.size) {
    return tell("fails", `You kept a checkpoint of ${kept.size} entries; this log says that it has ${current.size}`);
  }
  if (index >= kept.size) {
    return tell("note", `The checkpoint that you kept is older than the entry: it covers ${kept.size} entries`);
  }
  const way = await wayToRoot(leaf, index, kept.size, pathThere ?? []);
  const isHeld = way !== undefined && isSame(way.root, kept.root);
  return isHeld
    ? tell("holds", `The tree of ${kept.size} entries that you kept holds this entry too (root ${toBase64(kept.root)})`)
    : tell("fails", "The tree that you kept does not hold this entry: it was put in or changed since");
}

/** As it was copied: blanks around it, and the last newline that copying loses. */
export const asKept = (text: string): string => `${text.replaceAll("\r\n", "\n").trim()}\n`;

/** How many entries a kept checkpoint covers; undefined for what is none. */
export function sizeOfKept(text: string): number | undefined {
  const note = parseNote(asKept(text));
  return note && parseCheckpoint(note.text)?.size;
}
