import { isProblem, Problem } from "#base/problem";
import type { EdgeReading } from "#doors/api";
import { archiveFinds } from "#doors/dimse";
import { readDataSet, TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import { type Archive, currentOf, type HeldInstance } from "#radiology/archive";

const encoding = { transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian };

/**
 * In the cloud: what the machines of a facility look for through their edge. Both calls are acts of the edge: who asked it stands in the
 * edge's own log.
 */
export function createEdgeReading(archive: Archive): EdgeReading {
  return {
    async find(actor, { sopClassUid, identifier, extended }) {
      const service = archiveFinds({ archive, actor, retrieveAe: "" }).get(sopClassUid);
      if (service === undefined) throw new Problem("unsupported", "that kind of query is not known here");
      const request = { sopClassUid, identifier: readDataSet(Buffer.from(identifier, "base64"), encoding), extended };
      const answers = [];
      for await (const { identifier: found, keysIgnored } of service.find(request)) {
        answers.push({ identifier: Buffer.from(writeDataSet(found, encoding)).toString("base64"), keysIgnored });
      }
      return answers;
    },
    async *instances(actor, { studyUid, seriesUid, sopUids }) {
      const wanted = new Set(sopUids);
      const held = await archive.read(actor, { studyUid, seriesUid });
      for (const instance of held.filter(({ sopUid }) => wanted.has(sopUid))) yield* framed(instance);
    },
  };
}

/** Its length in four bytes, then the whole instance as a file; nothing for one that does not prove. */
async function* framed(instance: HeldInstance): AsyncGenerator<Buffer> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of (await currentOf(instance)).whole()) pieces.push(piece);
  } catch (error) {
    if (isProblem(error, "damaged")) return;
    throw error;
  }
  const length = Buffer.alloc(4);
  length.writeUInt32BE(pieces.reduce((sum, piece) => sum + piece.length, 0));
  yield length;
  yield* pieces;
}
