import { Problem } from "#base/problem";
import { type CutTable, createMender, decodeCuts, encodeCuts, type Mender } from "#formats/dicom";
import type { OpenedObject, Vault, WholeObject } from "#trust/vault";
import type { CurrentBytes } from "./corrected-bytes.ts";
import type { InstanceRow } from "./revealed-rows.ts";
import type { IndexedInstance } from "./study-index.ts";

/** An instance that the gate has let the caller read, with all that identifies. */
export interface HeldInstance extends InstanceRow {
  /** The received bytes: both halves put together. What is read is verified; who reads the whole compares `dataSetSha256`. */
  open(): Promise<ReceivedObject>;
  readonly isCorrected: boolean;
  /** As it reads after the corrections of its study, made of the received bytes; these where there are none. */
  current(received: OpenedObject): Promise<CurrentBytes>;
}

/** An instance as it was received. */
export interface ReceivedObject extends OpenedObject {
  /** All of it with the hash of its data set, from byte `dataSetOffset` on, where a thread opens it (`OpenedImage.patched`). */
  whole(dataSetOffset: number): Promise<WholeObject> | undefined;
}

/**
 * An instance that the gate has let the caller look at: pixels and technical header; values that identify are zeros. Only what has
 * no pixels of its own (a document, a deflated data set) is opened whole.
 */
export interface HeldImage extends Omit<IndexedInstance, "identity" | "places"> {
  /** Who looks sees identity masked: what is written into the pixels then matters. */
  readonly sees: "whole" | "masked";
  /** What is open may be kept, and read for others that the gate has let look at it. Problem "denied" once the access has ended. */
  open(): Promise<OpenedObject>;
  /** With what identifies, opened and logged for the one who looks: never kept for others. Problem "denied" for who sees it masked. */
  openWhole(): Promise<OpenedObject>;
  /** Pieces of an answer, as long as the access holds: then Problem "denied". */
  whileLive<Piece>(pieces: AsyncIterable<Piece>): AsyncIterable<Piece>;
}

/**
 * What an identity half holds: the cut bytes in the order of their places, then where they were cut out, the token of the image
 * half that it belongs to (16 bytes), and how long the table of places is (4 bytes, big endian).
 */
export function encodeTrailer(table: CutTable, imageId: string): Buffer {
  const encoded = encodeCuts(table);
  const trailer = Buffer.alloc(encoded.length + trailerEndBytes);
  trailer.set(encoded, 0);
  trailer.write(imageId, encoded.length, idBytes, "hex");
  trailer.writeUInt32BE(encoded.length, encoded.length + idBytes);
  return trailer;
}

const idBytes = 16;
const trailerEndBytes = idBytes + 4;
/** Most identity halves are a few KiB; one that is longer (a document, a private blob) is read piece by piece. */
const inMemoryBytesMax = 1024 * 1024;

/** Opens both halves of an instance as the object that was received. */
export async function openWhole(
  vault: Vault,
  instance: IndexedInstance,
  half: Promise<OpenedObject>,
): Promise<ReceivedObject> {
  const [image, identity] = await Promise.all([
    vault.open(instance.places.image, instance.id, instance.sizeBytes),
    half,
  ]);
  const { table, mender, cuts, allCuts } = await readCuts(identity, instance.id);
  const mend = async (offset: number, bytes: Buffer): Promise<Buffer> => {
    const range = mender.cutsIn(offset, bytes.length);
    if (range.length > 0) mender.mend(offset, bytes, await cuts(range.offset, range.offset + range.length));
    return bytes;
  };
  return {
    id: image.id,
    studyToken: image.studyToken,
    sizeBytes: image.sizeBytes,
    read: async (from, to) => mend(from, await image.read(from, to)),
    async *stream(from = 0, to = image.sizeBytes) {
      let at = from;
      for await (const piece of image.stream(from, to)) {
        yield await mend(at, piece);
        at += piece.length;
      }
    },
    whole: (dataSetOffset) => allCuts && image.patched({ ...table, bytes: allCuts }, dataSetOffset),
  };
}

type ReadCuts = (from: number, to: number) => Buffer | Promise<Buffer>;

interface CutsRead {
  readonly table: CutTable;
  readonly mender: Mender;
  readonly cuts: ReadCuts;
  /** Where they are in memory. */
  readonly allCuts: Buffer | undefined;
}

async function readCuts(identity: OpenedObject, imageId: string): Promise<CutsRead> {
  const { sizeBytes } = identity;
  const tail = Math.min(sizeBytes, inMemoryBytesMax);
  const last = await identity.read(sizeBytes - tail, sizeBytes);
  const end = last.length - trailerEndBytes;
  if (end < 0 || last.toString("hex", end, end + idBytes) !== imageId) throw brokenHalf();
  const tableBytes = last.readUInt32BE(end + idBytes);
  const cutBytes = sizeBytes - trailerEndBytes - tableBytes;
  if (cutBytes < 0) throw brokenHalf();
  const tableStart = cutBytes - (sizeBytes - tail);
  const encoded =
    tableStart >= 0
      ? last.subarray(tableStart, tableStart + tableBytes)
      : await identity.read(cutBytes, cutBytes + tableBytes);
  const table = decodeCuts(encoded);
  const mender = createMender(table);
  if (mender.cutBytes !== cutBytes) throw brokenHalf();
  const isInMemory = tail === sizeBytes;
  const cuts: ReadCuts = isInMemory ? (from, to) => last.subarray(from, to) : (from, to) => identity.read(from, to);
  return { table, mender, cuts, allCuts: isInMemory ? last.subarray(0, cutBytes) : undefined };
}

function brokenHalf(): Problem {
  return new Problem("damaged", "an identity half is not that of its instance, or does not hold what its table says", {
    remedy: "run `leadglass vault check`, and restore the instance from a backup or send it again",
  });
}
