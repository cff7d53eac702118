import { isProblem, Problem } from "#base/problem";
import { createPermits, type Permits } from "#base/turns";
import type { EdgeReading } from "#doors/api";
import { archiveFinds } from "#doors/dimse";
import { readDataSet, TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import { type Archive, currentOf, type HeldInstance } from "#radiology/archive";
import type { Actor, Edges } from "#trust/access";
import { framedEnd, framedPiece } from "./framed-instances.ts";

const encoding = { transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian };
/** Of one edge at a time; more of them wait. */
const retrievesMost = 2;

/**
 * In the cloud: what the machines of a facility look for through their edge. Both calls are acts of the edge: who asked it stands in the
 * edge's own log. An edge that stands in a facility sees what lies there.
 */
export function createEdgeReading({
  archive,
  edges,
}: {
  readonly archive: Archive;
  readonly edges: Pick<Edges, "named">;
}): EdgeReading {
  const retrieving = new Map<string, Permits>();
  const permitsOf = (id: string): Permits => {
    const permits = retrieving.get(id) ?? createPermits(retrievesMost);
    retrieving.set(id, permits);
    return permits;
  };
  const narrowed = async (actor: Actor): Promise<Actor> => {
    const { facility } = await edges.named(actor.id.slice("edge:".length));
    const places = facility === "" ? [] : [{ kind: "facility", id: facility } as const];
    return { ...actor, scope: { acts: ["study.search", "study.read"], places } };
  };
  return {
    async find(edge, { sopClassUid, identifier, extended }) {
      const actor = await narrowed(edge);
      const service = archiveFinds({ archive, actor, retrieveAe: "" }).get(sopClassUid);
      if (service === undefined) throw new Problem("unsupported", "that kind of query is not known here");
      const request = { sopClassUid, identifier: readDataSet(Buffer.from(identifier, "base64"), encoding), extended };
      const answers = [];
      for await (const { identifier: found, keysIgnored } of service.find(request)) {
        answers.push({ identifier: Buffer.from(writeDataSet(found, encoding)).toString("base64"), keysIgnored });
      }
      return answers;
    },
    async *instances(edge, { studyUid, seriesUid, sopUids }) {
      const permits = permitsOf(edge.id);
      await permits.take();
      try {
        const held = await archive.read(await narrowed(edge), { studyUid, seriesUid });
        const instances = new Map(held.map((instance) => [instance.sopUid, instance]));
        // In the order asked for: they are sent on as they come.
        for (const sopUid of new Set(sopUids)) {
          const instance = instances.get(sopUid);
          if (instance !== undefined) yield* framed(instance);
        }
      } finally {
        permits.give();
      }
    },
  };
}

/** What does not prove is given up: the edge takes nothing of it, and has the others. */
async function* framed(instance: HeldInstance): AsyncGenerator<Buffer> {
  try {
    for await (const piece of (await currentOf(instance)).whole()) yield* framedPiece(piece);
  } catch (error) {
    if (!isProblem(error, "damaged")) throw error;
    yield framedEnd(false);
    return;
  }
  yield framedEnd(true);
}
