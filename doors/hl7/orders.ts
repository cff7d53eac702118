import { isProblem } from "#base/problem";
import type { KeywordDataSet } from "#formats/dicom";
import {
  type Fault,
  type Message,
  type Moment,
  momentOf,
  partOf,
  providerNamesAt,
  rawAt,
  repetitionsAt,
  type Segment,
  segmentNamed,
  textAt,
} from "#formats/hl7";
import { type Deed, faultAt, type Meaning } from "./deeds.ts";
import { codesAt, dataSetOf, personName, titlesAmong, uidText, valueText } from "./dicom-values.ts";
import { modalityOf } from "./modalities.ts";
import { ownerOf, type Patient, patientOf } from "./patients.ts";
import type { OrderAmendment, OrderNumbers, PartnerServices } from "./ports.ts";

/*
 * ORM^O01, OMI^O23 and OMG^O19 as items of the modality worklist (IHE RAD TF-2 §4.4.4.1.2, Table 4.4-6). What a message does not say is
 * taken from where systems put it: accession number, requested procedure and step in OBR-18 to 20, the modality in OBR-24.
 */

const shortMax = 16;
const longMax = 64;

/** An ORC, or an OBR that has none, with what belongs to it up to the next. */
interface Order {
  readonly orc: Segment | undefined;
  readonly obrs: { readonly obr: Segment; readonly ipcs: Segment[]; tq1?: Segment; zds?: Segment }[];
  tq1?: Segment;
}

/** Orders, and steps of them, in one message: each is computed before others have their turn. */
const stepsMax = 200;

export function orderDeeds(message: Message): Meaning {
  const orders = ordersIn(message);
  if (orders.length === 0) return faultAt(message, "ORC", undefined, "segmentSequence", "there is no order");
  const steps = orders.flatMap(({ obrs }) => obrs.map(({ ipcs }) => Math.max(1, ipcs.length)));
  const planned = steps.reduce((sum, each) => sum + each, 0);
  if (Math.max(orders.length, planned) > stepsMax)
    return faultAt(message, "ORC", undefined, "segmentSequence", `more than ${stepsMax} orders in a message`);
  if (message.segments.filter(({ name }) => name === "PID").length > 1)
    return faultAt(message, "PID", undefined, "segmentSequence", "orders of several patients in a message");
  const visit = visitOf(message);
  const deeds: Deed[] = [];
  const named = new Set<string>();
  for (const [at, order] of orders.entries()) {
    const isReplaced = orders.slice(at + 1).some(({ orc }) => textAt(message, orc, 1) === "RO");
    const meant = deedsOf(message, visit, order, { isReplaced, named });
    if ("condition" in meant) return meant;
    deeds.push(...meant);
  }
  return deeds;
}

/** What all orders of a message share, read once. */
interface Visit {
  readonly patient: Patient | Fault;
  readonly values: KeywordDataSet;
}

function visitOf(message: Message): Visit {
  const pv1 = segmentNamed(message, "PV1");
  const isPregnant = repetitionsAt(message, pv1, 15).includes("B6");
  return {
    patient: patientOf(message),
    values: {
      ReferringPhysicianName: personName(providerNamesAt(message, pv1, 8)),
      AdmissionID: valueText(textAt(message, pv1, 19), longMax),
      CurrentPatientLocation: valueText(textAt(message, pv1, 3), longMax),
      // PS3.3 Table C.2-4: definitely pregnant.
      ...(isPregnant && { PregnancyStatus: 3 }),
    },
  };
}

function ordersIn({ segments }: Message): Order[] {
  const orders: Order[] = [];
  for (const segment of segments) {
    const last = orders.at(-1);
    const request = last?.obrs.at(-1);
    if (segment.name === "ORC") orders.push({ orc: segment, obrs: [] });
    else if (segment.name === "OBR" && last === undefined)
      orders.push({ orc: undefined, obrs: [{ obr: segment, ipcs: [] }] });
    else if (segment.name === "OBR") last?.obrs.push({ obr: segment, ipcs: [] });
    else if (segment.name === "IPC") request?.ipcs.push(segment);
    else if (segment.name === "ZDS" && request) request.zds = segment;
    else if (segment.name === "TQ1" && request) request.tq1 ??= segment;
    else if (segment.name === "TQ1" && last) last.tq1 ??= segment;
  }
  return orders;
}

/** ORC-1 (table 0119): what is planned, and what ends; with ORC-5 (table 0038) also how it stands. */
const planning: ReadonlySet<string> = new Set(["NW", "XO", "XX", "RP", "RU", "RO", "CH", "SN"]);
type Status = NonNullable<OrderAmendment["status"]>;
const ending: ReadonlyMap<string, Status> = new Map([
  ...["CA", "OC", "CR"].map((control) => [control, "CANCELED"] as const),
  ...["DC", "OD", "DR"].map((control) => [control, "DISCONTINUED"] as const),
]);
const statuses: ReadonlyMap<string, Status> = new Map([
  ["CA", "CANCELED"],
  ["DC", "DISCONTINUED"],
  ["CM", "COMPLETED"],
]);

interface Among {
  /** One that takes its place follows in the message. */
  readonly isReplaced: boolean;
  /** The steps that were planned before it. */
  readonly named: Set<string>;
}

function deedsOf(message: Message, visit: Visit, order: Order, among: Among): readonly Deed[] | Fault {
  const { orc, obrs } = order;
  const control = orc === undefined ? "NW" : textAt(message, orc, 1);
  const status = textAt(message, orc, 5);
  if (orc !== undefined && control === "")
    return faultAt(message, orc, 1, "requiredField", "the order control code is missing");
  if (among.isReplaced && (control === "RP" || control === "RU"))
    return endingDeeds(message, visit, order, "DISCONTINUED", true);
  const ended = ending.get(control) ?? (control === "SC" || control === "XO" ? statuses.get(status) : undefined);
  if (ended !== undefined) return endingDeeds(message, visit, order, ended);
  // A status that says nothing of a step, and the order above others, whose own come in orders of theirs.
  if (control === "SC" || control === "PA") return [];
  if (!planning.has(control)) {
    return faultAt(message, orc ?? "ORC", 1, "tableValue", "that order control code is not acted upon here");
  }
  if (obrs.length === 0) return faultAt(message, "OBR", undefined, "segmentSequence", "an order has no OBR");
  const { patient } = visit;
  if ("condition" in patient) return patient;
  const deeds: Deed[] = [];
  for (const { obr, ipcs, tq1 = order.tq1, zds } of obrs) {
    const values = { ...patientValues(patient), ...visit.values, ...orderValues(message, { orc, obr, tq1 }) };
    for (const ipc of ipcs.length === 0 ? [undefined] : ipcs) {
      const deed = stepDeed(message, { patient, values, orc, obr, ipc, tq1, zds }, among.named);
      if ("condition" in deed) return deed;
      deeds.push(deed);
    }
  }
  return deeds;
}

/** Of each OBR, by its own numbers; `mayBeAbsent` where it is enough that there is no such order. */
function endingDeeds(
  message: Message,
  { patient }: Visit,
  { orc, obrs }: Order,
  status: Status,
  mayBeAbsent = false,
): readonly Deed[] | Fault {
  // An order that names nobody is known by its numbers alone.
  const owner = ownerOf(message, patient);
  if ("condition" in owner) return owner;
  const deeds = new Map<string, Deed>();
  for (const { obr } of obrs.length === 0 ? [{ obr: undefined }] : obrs) {
    const numbers = numbersOf(message, orc, obr);
    if ("condition" in numbers) return numbers;
    deeds.set(`${numbers.placer}\n${numbers.filler}`, async ({ amendOrder }) => {
      try {
        await amendOrder({ ...numbers, ...owner }, { status });
      } catch (error) {
        if (!mayBeAbsent || !isProblem(error, "absent")) throw error;
      }
    });
  }
  return [...deeds.values()];
}

type Numbers = Pick<OrderNumbers, "placer" | "filler">;

/** Those of the OBR before those of the order, of which it may be one of several. */
function numbersOf(message: Message, orc: Segment | undefined, obr: Segment | undefined): Numbers | Fault {
  const [placer, filler] = [2, 3].map((field) => textAt(message, obr, field) || textAt(message, orc, field)) as [
    string,
    string,
  ];
  const at = obr ?? orc ?? "ORC";
  if (placer === "" && filler === "") return faultAt(message, at, 2, "requiredField", "the order has no number");
  if (!isWhole(placer, longMax) || !isWhole(filler, longMax))
    return faultAt(message, at, 2, "dataType", "an order number is none of 64 characters on a line");
  return { placer, filler };
}

interface Planned {
  readonly patient: Patient;
  /** Of the patient, the visit and the order. */
  readonly values: KeywordDataSet;
  readonly orc: Segment | undefined;
  readonly obr: Segment;
  readonly ipc: Segment | undefined;
  readonly tq1: Segment | undefined;
  readonly zds: Segment | undefined;
}

function stepDeed(message: Message, planned: Planned, named: Set<string>): Deed | Fault {
  const { patient, orc, obr, ipc, tq1, zds } = planned;
  const at = (segment: Segment | undefined, field: number, component = 1) => textAt(message, segment, field, component);
  const numbers = numbersOf(message, orc, obr);
  if ("condition" in numbers) return numbers;
  const { placer, filler } = numbers;
  const code = at(ipc, 5) || at(obr, 24);
  const modality = modalityOf(code);
  if (code === "") return faultAt(message, obr, 24, "requiredField", "the order names no modality");
  if (modality === undefined) return faultAt(message, obr, 24, "tableValue", "that section does no imaging known here");
  if (patient.values.PatientName === undefined)
    return faultAt(message, "PID", 5, "requiredField", "the patient has no name");
  const given = at(ipc, 1) || at(obr, 18);
  if (!isWhole(given, shortMax)) {
    const what = "an accession number is none of 16 characters on a line";
    return faultAt(message, ipc ?? obr, ipc === undefined ? 18 : 1, "dataType", what);
  }
  const accession = [given, filler, placer].find((text) => text !== "" && text.length <= shortMax) ?? "";
  const start = startOf(message, [
    [tq1, 7],
    [obr, 27, 4],
    [orc, 7, 4],
    [obr, 36],
    [obr, 6],
    [segmentNamed(message, "MSH"), 7],
  ]);
  if (start === undefined)
    return faultAt(message, tq1 ?? obr, tq1 === undefined ? 27 : 7, "requiredField", "no time is said");
  const ids = {
    ...{ placer, filler, number: `${placer}\n${filler}` },
    ...{ patientId: patient.id.id, issuer: patient.id.authority },
    study: uidText(at(zds, 1)) || uidText(at(ipc, 3)),
    procedure: at(ipc, 2) || at(obr, 19),
    step: at(ipc, 4) || at(obr, 20),
  };
  const name = [ids.study || `${ids.number}\n${ids.procedure}`, ids.step || ids.procedure || ids.number].join("\n");
  if (named.has(name)) return faultAt(message, obr, 2, "segmentSequence", "two steps of a message have one number");
  named.add(name);
  const values = {
    ...planned.values,
    AccessionNumber: accession,
    PlacerOrderNumberImagingServiceRequest: placer,
    FillerOrderNumberImagingServiceRequest: filler,
  };
  const stepValues = {
    Modality: modality,
    ScheduledProcedureStepStartDate: start.date,
    ScheduledProcedureStepStartTime: start.time || "000000",
    ScheduledProcedureStepDescription: valueText(at(ipc, 6, 2) || at(obr, 4, 5) || at(obr, 4, 2), longMax),
    ScheduledProtocolCodeSequence: ipc === undefined ? codesAt(message, obr, 4) : codesAt(message, ipc, 6),
    ScheduledStationName: valueText(at(ipc, 7), shortMax),
    ScheduledProcedureStepLocation: valueText(at(ipc, 8), shortMax),
  };
  const titles = titlesAmong(repetitionsAt(message, ipc, 9).map((each) => partOf(message, each, 1)));
  return stepPlanning(ids, titles, values, stepValues);
}

interface Ids extends OrderNumbers {
  readonly number: string;
  readonly study: string;
  readonly procedure: string;
  readonly step: string;
}

/** Plans a step; what the message does not name of it gets a name that is the same each time the order comes. */
export function stepPlanning(ids: Ids, titles: readonly string[], values: KeywordDataSet, step: KeywordDataSet): Deed {
  return async (services: PartnerServices) => {
    const { uidFor } = services;
    const procedure = shortId(ids.procedure || ids.number, uidFor);
    const stations = titles.length > 0 ? titles : await services.stations();
    const item: KeywordDataSet = {
      ...values,
      StudyInstanceUID: ids.study || uidFor(`study of ${ids.number}\n${ids.procedure}`),
      RequestedProcedureID: procedure,
      ScheduledProcedureStepSequence: [
        {
          ...step,
          ScheduledStationAETitle: stations,
          ScheduledProcedureStepID: shortId(ids.step || procedure, uidFor),
        },
      ],
    };
    const names = { study: ids.study !== "", procedure: ids.procedure !== "", step: ids.step !== "" };
    await services.schedule(() => dataSetOf(item), { ...ids, names });
  };
}

/** Whether it can be a value as it is. */
export const isWhole = (text: string, charactersMax: number) => valueText(text, charactersMax) === text;

/** SH holds 16 characters: what is longer, or of two parts, is stood for by the end of a UID. */
function shortId(text: string, uidFor: (text: string) => string): string {
  return isWhole(text, shortMax) ? text : uidFor(text).slice(-shortMax);
}

export function patientValues({ id, values }: Patient): KeywordDataSet {
  const issuer = id.authority === "" ? {} : { IssuerOfPatientID: id.authority };
  return { PatientName: "", PatientBirthDate: "", PatientSex: "", ...values, PatientID: id.id, ...issuer };
}

/** Table 4.4-6: of TQ1-9, and of what was there before TQ1, the codes of table 0485. */
const priorities: ReadonlyMap<string, string> = new Map([
  ["S", "STAT"],
  ["R", "ROUTINE"],
  ...["A", "P", "T", "C"].map((code) => [code, "HIGH"] as const),
]);

function orderValues(message: Message, { orc, obr, tq1 }: Pick<Planned, "orc" | "obr" | "tq1">): KeywordDataSet {
  const at = (segment: Segment | undefined, field: number, component = 1) => textAt(message, segment, field, component);
  const priority = priorities.get(at(tq1, 9) || at(obr, 27, 6) || at(orc, 7, 6) || at(obr, 5));
  const requested = codesAt(message, obr, rawAt(obr, 44) === "" ? 4 : 44);
  return {
    RequestingPhysician: personName(
      providerNamesAt(message, rawAt(obr, 16) === "" ? orc : obr, rawAt(obr, 16) === "" ? 12 : 16),
    ),
    RequestedProcedureDescription: valueText(at(obr, 44, 2) || at(obr, 4, 2) || at(obr, 4), longMax),
    RequestedProcedureCodeSequence: requested.slice(0, 1),
    ReasonForTheRequestedProcedure: valueText(at(obr, 31, 2) || at(obr, 31), longMax),
    PatientTransportArrangements: valueText(at(obr, 30), longMax),
    PatientState: valueText(at(obr, 12), longMax),
    MedicalAlerts: valueText(at(obr, 13), longMax),
    ...(priority && { RequestedProcedurePriority: priority }),
  };
}

type Place = readonly [segment: Segment | undefined, field: number, component?: number];

/** The first of these that says a day. */
export function startOf(message: Message, places: readonly Place[]): Moment | undefined {
  for (const [segment, field, component] of places) {
    const moment = momentOf(textAt(message, segment, field, component));
    if (moment?.date.length === 8) return moment;
  }
  return undefined;
}
