import { createHash } from "node:crypto";

/** One part of an answer; `length` where it is known before its bytes are. */
export interface AnswerPart {
  readonly type: string;
  readonly location?: string;
  readonly length?: number | undefined;
  readonly pieces: AsyncIterable<Uint8Array>;
}

export interface AnswerMultipart {
  /** For the Content-Type header: `multipart/related; type="…"; boundary=…`. */
  readonly type: string;
  readonly length: number | undefined;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/**
 * A multipart/related body (RFC 2387). The boundary follows from `seed`, which must be something that no sender of the
 * parts could know when it sent them (a token of ours): the same answer then has the same bytes each time, so that ranges of
 * it fit together, and nobody can have put the boundary into a part.
 */
export function multipartOf(rootType: string, seed: string, parts: readonly AnswerPart[]): AnswerMultipart {
  const boundary = `leadglass-${createHash("sha256").update(seed).digest("hex").slice(0, 32)}`;
  const heads = parts.map((part, at) => headOf(part, boundary, at === 0));
  const tail = Buffer.from(`${parts.length === 0 ? "" : "\r\n"}--${boundary}--\r\n`);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let ahead = begun(parts[0]);
    try {
      for (const [at, head] of heads.entries()) {
        const current = ahead;
        // The next part is opened and its first bytes are read while this one is sent.
        ahead = begun(parts[at + 1]);
        if (current !== undefined) yield* withHead(head, current);
      }
    } finally {
      await ahead?.rest.return?.();
    }
    yield tail;
  }
  let length: number | undefined = tail.length;
  for (const [at, part] of parts.entries()) {
    length = length === undefined || part.length === undefined ? undefined : length + part.length;
    if (length !== undefined) length += heads[at]?.length ?? 0;
  }
  return { type: `multipart/related; type="${rootType}"; boundary=${boundary}`, length, pieces: pieces() };
}

function headOf({ type, location, length }: AnswerPart, boundary: string, first: boolean): Buffer {
  const lines = [
    `${first ? "" : "\r\n"}--${boundary}`,
    `Content-Type: ${type}`,
    ...(length === undefined ? [] : [`Content-Length: ${length}`]),
    ...(location === undefined ? [] : [`Content-Location: ${location}`]),
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}

interface Begun {
  readonly first: Promise<IteratorResult<Uint8Array>>;
  readonly rest: AsyncIterator<Uint8Array>;
}

function begun(part: AnswerPart | undefined): Begun | undefined {
  if (part === undefined) return undefined;
  const rest = part.pieces[Symbol.asyncIterator]();
  const first = rest.next();
  first.catch(() => {}); // told when its turn comes; the client may have gone before
  return { first, rest };
}

/** The head of a part goes out with its first bytes: what fails at once has then said nothing yet. */
async function* withHead(head: Uint8Array, { first, rest }: Begun): AsyncGenerator<Uint8Array> {
  try {
    let step = await first;
    yield head;
    for (; !step.done; step = await rest.next()) yield step.value;
  } finally {
    await rest.return?.();
  }
}
