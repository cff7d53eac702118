import { Problem } from "#base/problem";
import { tagOf } from "#formats/dicom";
import type { DataSetHeader } from "#radiology/archive";
import type { Changes, Routing } from "#radiology/routing";
import type { EdgeRoute } from "#radiology/uplink";
import type { Actor } from "#trust/access";

/** On an edge: where what comes goes, by the rules of this box; where none fits, to the cloud, and here where the box keeps anything. */
export function routeBy(routing: Pick<Routing, "decide" | "change">, ownTitle: string, keeps: boolean) {
  return (actor: Actor, header: DataSetHeader, text: (tag: number) => string | undefined): EdgeRoute => {
    const value = (keyword: string) => text(tagOf(keyword)) ?? "";
    const { rule, cloud, keep, machines, changes } = routing.decide({
      ...{ callingAe: header.sourceAe ?? "", calledAe: ownTitle, machine: actor.id.replace(/^device:/, "") },
      ...{ modality: value("Modality"), bodyPart: value("BodyPartExamined"), stationName: value("StationName") },
      ...{ sopClass: header.sopClassUid, description: value("StudyDescription") },
    });
    return {
      cloud,
      keep: machines.length > 0 || (rule === undefined ? keeps : keep),
      needsCopy: machines.length > 0,
      ...(changes && { change: changing(routing, changes) }),
    };
  };
}

function changing({ change }: Pick<Routing, "change">, changes: Changes) {
  return (dataSet: Uint8Array, transferSyntaxUid: string): Uint8Array => {
    const changed = change(dataSet, transferSyntaxUid, changes);
    if ("bytes" in changed) return changed.bytes;
    throw new Problem("unsupported", `held back by a rule of this box: ${changed.held}`, {
      remedy: "look at the rule: such objects cannot be de-identified by it",
    });
  };
}
