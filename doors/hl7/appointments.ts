import { isProblem, Problem } from "#base/problem";
import { type Fault, type Message, partOf, repetitionsAt, type Segment, segmentNamed, textAt } from "#formats/hl7";
import { type Deed, faultAt, type Meaning } from "./deeds.ts";
import { valueText } from "./dicom-values.ts";
import { modalityOf } from "./modalities.ts";
import { isWhole, patientValues, startOf, stepPlanning } from "./orders.ts";
import { ownerOf, patientOf } from "./patients.ts";
import type { OrderAmendment, OrderNumbers, PartnerServices } from "./ports.ts";

/*
 * SIU^S12 to S26 (HL7 v2.8 chapter 10). An appointment of an order that is known moves its steps; one that is of none, and names a modality
 * among its resources, is a step by itself. Most appointments of a hospital are neither, and their senders are told so.
 */

/** S12 booked, S13 rescheduled, S14 modified. */
const booking: ReadonlySet<string> = new Set(["S12", "S13", "S14"]);
/** S15 cancelled, S16 discontinued, S17 deleted, S26 not come. */
const ending: ReadonlyMap<string, NonNullable<OrderAmendment["status"]>> = new Map([
  ["S15", "CANCELED"],
  ["S16", "DISCONTINUED"],
  ["S17", "CANCELED"],
  ["S26", "CANCELED"],
]);

export function appointmentDeeds(message: Message, event: string): Meaning | undefined {
  const status = ending.get(event);
  if (status === undefined && !booking.has(event)) return undefined;
  const numbers = numbersOf(message);
  if ("condition" in numbers) return numbers;
  if (numbers.length === 0) return faultAt(message, "SCH", 1, "requiredField", "the appointment has no number");
  if (status !== undefined) return [(services) => amend(services, numbers, { status })];
  const start = startOf(message, [
    [segmentNamed(message, "AIS"), 4],
    [segmentNamed(message, "TQ1"), 7],
    [segmentNamed(message, "SCH"), 11, 4],
    [segmentNamed(message, "AIG"), 8],
    [segmentNamed(message, "AIL"), 6],
  ]);
  if (start === undefined) return faultAt(message, "AIS", 4, "requiredField", "no time is said");
  // Booked or rescheduled after it was cancelled, it is to be done again.
  const again = event === "S14" ? {} : ({ status: "SCHEDULED" } as const);
  const time = start.time || "000000";
  const plan = planOf(message, numbers[0] as OrderNumbers, { date: start.date, time });
  if (typeof plan === "object") return plan;
  const resources = new Set(partsOf(message, "AIG", 3).concat(partsOf(message, "AIL", 3)));
  return [
    async (services) => {
      const stationAes = (await services.stations()).filter((title) => resources.has(title));
      try {
        await amend(services, numbers, {
          ...again,
          startDate: start.date,
          startTime: time,
          stationAes,
        });
      } catch (error) {
        if (!isProblem(error, "absent")) throw error;
        if (plan === undefined) {
          throw new Problem("absent", "no order of that number is known here, and the appointment names no modality");
        }
        await plan(services, stationAes);
      }
    },
  ];
}

/** The order's numbers where the appointment has them (SCH-26, 27), then its own (SCH-1, 2), by which it is known when it has none. */
function numbersOf(message: Message): OrderNumbers[] | Fault {
  const sch = segmentNamed(message, "SCH");
  const owner = ownerOf(message);
  if ("condition" in owner) return owner;
  const pairs = [
    [26, 27],
    [1, 2],
  ] as const;
  const long = pairs.flat().find((field) => !isWhole(textAt(message, sch, field), 64));
  if (long !== undefined)
    return faultAt(message, "SCH", long, "dataType", "a number is none of 64 characters on a line");
  return pairs
    .map(([placer, filler]) => ({
      placer: textAt(message, sch, placer),
      filler: textAt(message, sch, filler),
      ...owner,
    }))
    .filter(({ placer, filler }) => placer !== "" || filler !== "");
}

/** Of the first of these numbers that is known. */
async function amend(
  services: PartnerServices,
  numbers: readonly OrderNumbers[],
  change: OrderAmendment,
): Promise<void> {
  for (const [at, number] of numbers.entries()) {
    try {
      return await services.amendOrder(number, change);
    } catch (error) {
      if (!isProblem(error, "absent") || at === numbers.length - 1) throw error;
    }
  }
}

type Plan = (services: PartnerServices, stationAes: readonly string[]) => ReturnType<Deed>;

/** The appointment as a step of its own; undefined where it names no modality. */
function planOf(
  message: Message,
  { placer, filler }: OrderNumbers,
  start: { readonly date: string; readonly time: string },
): Plan | Fault | undefined {
  const [ais] = message.segments.filter(({ name }) => name === "AIS");
  const codes = (["AIG", "AIL"] as const).flatMap((name) => [
    ...partsOf(message, name, 4),
    ...partsOf(message, name, 3),
  ]);
  const modality = [...codes, textAt(message, ais, 3)].map(modalityOf).find((found) => found !== undefined);
  if (modality === undefined) return undefined;
  const patient = patientOf(message);
  if ("condition" in patient) return patient;
  if (patient.values.PatientName === undefined)
    return faultAt(message, "PID", 5, "requiredField", "the patient has no name");
  const description = valueText(textAt(message, ais, 3, 2) || textAt(message, segmentNamed(message, "SCH"), 7, 2), 64);
  const values = {
    ...patientValues(patient),
    AccessionNumber: [filler, placer].find((text) => text !== "" && text.length <= 16) ?? "",
    PlacerOrderNumberImagingServiceRequest: valueText(placer, 64),
    FillerOrderNumberImagingServiceRequest: valueText(filler, 64),
    RequestedProcedureDescription: description,
  };
  const step = {
    Modality: modality,
    ScheduledProcedureStepStartDate: start.date,
    ScheduledProcedureStepStartTime: start.time,
    ScheduledProcedureStepDescription: description,
  };
  const { id: patientId, authority: issuer } = patient.id;
  const ids = { placer, filler, patientId, issuer, number: `${placer}\n${filler}`, study: "", procedure: "", step: "" };
  return (services, stationAes) => stepPlanning(ids, stationAes, values, step)(services);
}

/** The first component of each repetition of a field, in every segment of that name. */
function partsOf(message: Message, name: string, field: number): string[] {
  const all: readonly Segment[] = message.segments.filter((segment) => segment.name === name);
  return all.flatMap((segment) => repetitionsAt(message, segment, field).map((each) => partOf(message, each, 1)));
}
