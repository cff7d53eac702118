/** What a log sends to a witness (C2SP tlog-witness, `add-checkpoint`). */
export interface AddCheckpoint {
  /** Size of the tree that the witness knows, by the log's reckoning. */
  readonly oldSize: number;
  /** Consistency proof from there to the checkpoint (RFC 6962 §2.1.2). */
  readonly proof: readonly Buffer[];
  /** The checkpoint, a signed note. */
  readonly note: string;
}

const proofLinesMost = 63;
/** A proof, and a note with 16 signatures. */
export const addCheckpointBytesMost = 16 * 1024;

export function writeAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return [`old ${oldSize}\n`, ...proof.map((hash) => `${hash.toString("base64")}\n`), "\n", note].join("");
}

/** Undefined for what is no such request. */
export function readAddCheckpoint(body: Uint8Array): AddCheckpoint | undefined {
  if (body.length > addCheckpointBytesMost) return undefined;
  const text = Buffer.from(body).toString("utf8");
  const end = text.indexOf("\n\n");
  if (end < 0 || !Buffer.from(text).equals(body)) return undefined;
  const [first = "", ...lines] = text.slice(0, end).split("\n");
  const [, size] = /^old (0|[1-9][0-9]{0,15})$/.exec(first) ?? [];
  if (size === undefined || !Number.isSafeInteger(Number(size)) || lines.length > proofLinesMost) return undefined;
  const proof = lines.map((line) => Buffer.from(line, "base64"));
  if (proof.some((hash, at) => hash.length !== 32 || hash.toString("base64") !== lines[at])) return undefined;
  return { oldSize: Number(size), proof, note: text.slice(end + 2) };
}
