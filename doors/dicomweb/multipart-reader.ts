import { Problem } from "#base/problem";

/** What a multipart body is made of, in order. `bytes` are views of what was pushed, or of a small copy: use them at once. */
export type MultipartPiece =
  | { readonly kind: "headers"; readonly headers: ReadonlyMap<string, string> }
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "end" };

export interface MultipartLimits {
  /** Bytes of the header lines of one part. */
  readonly headerBytesMax: number;
  readonly partsMax: number;
  /** Bytes before the first boundary. */
  readonly preambleBytesMax: number;
}

export const multipartLimits: MultipartLimits = {
  headerBytesMax: 16 * 1024,
  partsMax: 20_000,
  preambleBytesMax: 64 * 1024,
};

export interface MultipartReader {
  /** Takes the next bytes of the body. Throws Problem `invalid` at what is no multipart, or is over a limit. */
  push(bytes: Uint8Array): MultipartPiece[];
  /** The body has ended. True when its closing boundary came. */
  end(): boolean;
}

/** Where the reader stands. `padding` is what may follow a boundary on its line. */
type State = "preamble" | "padding" | "headers" | "data" | "epilogue";

const cr = 0x0d;
const lf = 0x0a;
const dash = 0x2d;
const headerEnd = Buffer.from("\r\n\r\n");
/** RFC 2046 §5.1.1 lets blanks follow a boundary; nobody writes many. */
const paddingBytesMax = 64;
const headersMax = 64;

/**
 * Takes a multipart body (RFC 2046 §5.1) apart as it arrives, in pieces of any size, with the memory of one header block.
 * Line ends are CRLF; anything else is refused, so that no proxy can have read the body in another way.
 */
export function createMultipartReader(boundary: string, limits: MultipartLimits = multipartLimits): MultipartReader {
  if (boundary.length === 0 || boundary.length > 200) throw malformed("the boundary is missing or too long");
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  let state: State = "preamble";
  // The first boundary may stand at the very beginning: as if a line had ended there.
  let held: Buffer = Buffer.from("\r\n");
  let parts = 0;
  let preambleBytes = 0;

  /** Data up to the next delimiter. Returns how many bytes are used; fewer than all when a delimiter may have begun. */
  const takeData = (bytes: Buffer, into: MultipartPiece[] | undefined): number => {
    const at = bytes.indexOf(delimiter);
    const end = at < 0 ? bytes.length - endingPrefix(bytes, delimiter) : at;
    if (into !== undefined && end > 0) into.push({ kind: "data", bytes: bytes.subarray(0, end) });
    if (at < 0) return end;
    if (into !== undefined) into.push({ kind: "end" });
    state = "padding";
    return at + delimiter.length;
  };

  const takePreamble = (bytes: Buffer): number => {
    const used = takeData(bytes, undefined);
    preambleBytes += used;
    if (preambleBytes > limits.preambleBytesMax + delimiter.length) {
      throw malformed("the body does not begin with its boundary");
    }
    return used;
  };

  const takePadding = (bytes: Buffer): number => {
    if (bytes.length < 2) return 0;
    if (bytes[0] === dash && bytes[1] === dash) {
      state = "epilogue";
      return 2;
    }
    let at = 0;
    while (at < bytes.length && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++;
    if (at > paddingBytesMax) throw malformed("something follows a boundary on its line");
    if (bytes.length < at + 2) return 0;
    if (bytes[at] !== cr || bytes[at + 1] !== lf) throw malformed("something follows a boundary on its line");
    if (++parts > limits.partsMax) throw malformed(`more than ${limits.partsMax} parts`);
    state = "headers";
    return at; // the CRLF stays: a part without headers ends its headers with it
  };

  const takeHeaders = (bytes: Buffer, into: MultipartPiece[]): number => {
    const at = bytes.indexOf(headerEnd);
    if ((at < 0 ? bytes.length : at) > limits.headerBytesMax) throw malformed("the headers of a part are too long");
    if (at < 0) return 0;
    into.push({ kind: "headers", headers: at === 0 ? new Map() : readHeaders(bytes.toString("latin1", 2, at)) });
    state = "data";
    return at + headerEnd.length;
  };

  const step = (bytes: Buffer, into: MultipartPiece[]): number => {
    if (state === "preamble") return takePreamble(bytes);
    if (state === "padding") return takePadding(bytes);
    if (state === "headers") return takeHeaders(bytes, into);
    return state === "data" ? takeData(bytes, into) : bytes.length;
  };

  return {
    push(chunk) {
      const given = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      let bytes = held.length === 0 ? given : Buffer.concat([held, given]);
      const pieces: MultipartPiece[] = [];
      for (;;) {
        const before: State = state;
        const used = step(bytes, pieces);
        bytes = bytes.subarray(used);
        if (bytes.length === 0 || (used === 0 && state === before)) break;
      }
      held = bytes.length === 0 ? bytes : Buffer.from(bytes);
      return pieces;
    },
    end: () => state === "epilogue",
  };
}

/** How many of the last bytes could be the beginning of a delimiter. */
function endingPrefix(bytes: Buffer, delimiter: Buffer): number {
  let at = bytes.indexOf(cr, Math.max(0, bytes.length - delimiter.length + 1));
  while (at >= 0) {
    const length = bytes.length - at;
    if (bytes.compare(delimiter, 0, length, at) === 0) return length;
    at = bytes.indexOf(cr, at + 1);
  }
  return 0;
}

function readHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  const lines = text.split("\r\n");
  if (lines.length > headersMax) throw malformed("a part has too many headers");
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || /[\r\n\0]/.test(line)) {
      throw malformed("a header line of a part cannot be read");
    }
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}

function malformed(what: string): Problem {
  return new Problem("invalid", `malformed multipart body: ${what}`, {
    remedy: "send multipart/related as RFC 2046 and RFC 2387 lay down, lines ending in CRLF",
  });
}
