import { elementsOf } from "#formats/dicom";
import type { Availability } from "#radiology/relay";
import type { OutboundAssociation } from "./outbound.ts";
import { problemOf } from "./status.ts";

/** PS3.4 Annex R. */
export const instanceAvailabilityNotification = "1.2.840.10008.5.1.4.33";

/** Tells a machine that these instances are here at once (PS3.4 Table R.3.2-1). Rejects with a Problem when it does not take that. */
export async function notifyAvailability(
  association: Pick<OutboundAssociation, "create">,
  { studyUid, series }: Availability,
  notice: { readonly uid: string; readonly retrieveAe: string },
): Promise<void> {
  const dataSet = elementsOf({
    // Type 2: no step was performed that we know of.
    ReferencedPerformedProcedureStepSequence: [],
    StudyInstanceUID: studyUid,
    ReferencedSeriesSequence: series.map(({ seriesUid, instances }) => ({
      SeriesInstanceUID: seriesUid,
      ReferencedSOPSequence: instances.map(({ sopClassUid, sopInstanceUid }) => ({
        ReferencedSOPClassUID: sopClassUid,
        ReferencedSOPInstanceUID: sopInstanceUid,
        InstanceAvailability: "ONLINE",
        RetrieveAETitle: notice.retrieveAe,
      })),
    })),
  });
  const { status } = await association.create(instanceAvailabilityNotification, notice.uid, dataSet);
  const problem = problemOf(status, "an availability notification");
  if (problem !== undefined) throw problem;
}
