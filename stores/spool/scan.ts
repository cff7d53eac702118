import { decodeFooter, type Footer, footerBytes, magic } from "./footer.ts";
import { type ReadAt, readWhole, storedBytes } from "./pieces.ts";

/** A parcel that a footer tells of; `position` is that of its first byte. */
export interface FoundParcel {
  readonly position: number;
  readonly footer: Footer;
}

/** Bytes that no footer tells of. */
export interface Gap {
  readonly gapFrom: number;
  readonly gapTo: number;
}

/** Footers of small parcels lie close together. */
const pageBytes = 8 * 1024;
const searchBytes = 1024 * 1024;

/** What lies in a segment between two positions, from the last to the first: a footer says where its parcel begins, and another ends. */
export async function* scanBack(
  read: ReadAt,
  range: { readonly segment: number; readonly from: number; readonly to: number },
): AsyncGenerator<FoundParcel | Gap> {
  const { segment, from } = range;
  const page = createPage(read);
  const endingAt = async (end: number): Promise<FoundParcel | undefined> => {
    if (end - footerBytes < from) return undefined;
    const footer = decodeFooter(await page(end), segment, end);
    if (footer === undefined) return undefined;
    const position = end - footerBytes - storedBytes(footer.note.length);
    return position < from ? undefined : { position, footer };
  };
  for (let at = range.to; at > from; ) {
    const found = await endingAt(at);
    if (found !== undefined) {
      yield found;
      at = found.position;
      continue;
    }
    const gapTo = at;
    for await (const end of endsBefore(read, range, at)) {
      if ((await endingAt(end)) === undefined) continue;
      at = end;
      break;
    }
    if (at === gapTo) at = from;
    yield { gapFrom: at, gapTo };
  }
}

/** The 128 bytes before a position, from what was read the last time where they are there. */
function createPage(read: ReadAt): (end: number) => Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  let start = 0;
  return async (end) => {
    const from = end - footerBytes;
    if (from < start || end > start + bytes.length) {
      start = Math.max(0, end - pageBytes);
      const fresh = Buffer.alloc(end - start);
      bytes = fresh.subarray(0, await readWhole(read, start, fresh));
    }
    return bytes.subarray(from - start, end - start);
  };
}

/** Ends of what begins like a footer, from the last to the first. */
async function* endsBefore(read: ReadAt, { from }: { readonly from: number }, before: number): AsyncGenerator<number> {
  for (let to = before; to > from; to -= searchBytes) {
    const start = Math.max(from, to - searchBytes);
    // The magic may begin before the border and end behind it.
    const bytes = Buffer.alloc(Math.min(before, to + magic.length - 1) - start);
    const have = bytes.subarray(0, await readWhole(read, start, bytes));
    for (let at = have.lastIndexOf(magic); at >= 0; at = at === 0 ? -1 : have.lastIndexOf(magic, at - 1)) {
      if (start + at + footerBytes < before) yield start + at + footerBytes;
    }
  }
}
