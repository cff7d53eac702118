import { createHash } from "node:crypto";
import { newToken, type Random } from "#base/id";
import { isProblem, Problem } from "#base/problem";
import { type DataSet, fromDicomJson, readDataSet, TransferSyntaxUid, toDicomJson, writeDataSet } from "#formats/dicom";
import type { PerformedSteps } from "#radiology/schedule";
import type { DeliveriesParts, ParcelOffice, Uplink } from "#radiology/uplink";
import { actorOf } from "#trust/access";
import type { Hl7Side } from "./hl7.ts";

/*
 * What happens at a facility beside images, told to the cloud in the order in which it happened: messages of partners, and what machines say
 * of their work. Both ends of it stand here, so that they fit.
 */

const encoding = { transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian };

/** Of so many tellings it is known that they are on their way. */
const toldMost = 1_000;

/** On an edge: steps that machines begin and change here are begun and changed in the cloud too, when it can be reached. */
export function tellingPerformed(performed: PerformedSteps, { put }: Pick<Uplink, "put">): PerformedSteps {
  const told = new Set<string>();
  const tell = async (does: "begin" | "change", uid: string, attributes: DataSet): Promise<void> => {
    const bytes = writeDataSet(fromDicomJson(toDicomJson(attributes)), encoding);
    const digest = createHash("sha256").update(`${does} ${uid} `).update(bytes).digest("base64url");
    if (told.has(digest)) return;
    await put({ kind: "step", about: { does, uid } }, bytes);
    told.add(digest);
    if (told.size > toldMost) told.delete(told.values().next().value ?? "");
  };
  return {
    ...performed,
    async begin(actor, facility, given, attributes) {
      try {
        const uid = await performed.begin(actor, facility, given, attributes);
        await tell("begin", uid, attributes);
        return uid;
      } catch (error) {
        // It may have been begun here, and the box have stopped before it was told.
        if (given !== undefined && isProblem(error, "conflict")) await tell("begin", given, attributes);
        throw error;
      }
    },
    async change(actor, uid, attributes) {
      try {
        await performed.change(actor, uid, attributes);
        await tell("change", uid, attributes);
      } catch (error) {
        if (isProblem(error, "conflict")) await tell("change", uid, attributes);
        throw error;
      }
    },
  };
}

/** On an edge: messages that were done here go to the cloud. */
export function handingOn({ put }: Pick<Uplink, "put">, random: Random) {
  return (partner: string, bytes: Uint8Array): Promise<void> =>
    put({ kind: "hl7", about: { partner, id: newToken(random) } }, bytes);
}

/** In the cloud: does what edges tell. */
export function edgeMessages(parts: {
  readonly performed: PerformedSteps;
  readonly hl7: Pick<Hl7Side, "fromEdge">;
  readonly office: () => Promise<ParcelOffice>;
}): DeliveriesParts["perform"] {
  return async (edge, { kind, about }, content) => {
    const { partner, id, does, uid } = about;
    if (kind === "hl7" && partner !== undefined && id !== undefined) {
      const uidKey = Buffer.from((await parts.office()).samenessKey, "base64url");
      return parts.hl7.fromEdge(edge, { partner, id, bytes: content, uidKey });
    }
    if (kind !== "step" || uid === undefined || (does !== "begin" && does !== "change")) throw notUnderstood();
    const actor = actorOf("edge", edge.id);
    const attributes = readDataSet(content, encoding);
    const done =
      does === "begin"
        ? parts.performed.begin(actor, edge.facility, uid, attributes)
        : parts.performed.change(actor, uid, attributes);
    await done.catch((error: unknown) => {
      // The machine was answered on the edge: what was said twice, or after its end, is no news.
      if (!isProblem(error, "conflict")) throw error;
    });
  };
}

function notUnderstood(): Problem {
  return new Problem("unsupported", "a message of an edge that is not known here", { remedy: "update the cloud" });
}
