import { createHash, createHmac } from "node:crypto";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { asProblem, isPassing, isProblem, Problem } from "#base/problem";
import { createKeyedTurns } from "#base/turns";
import {
  type AnsweredMessage,
  answersTo,
  dataSetOf,
  type PartnerClaim,
  type PartnerServices,
  type PatientId,
} from "#doors/hl7";
import type { DeviceRight } from "#formats/api";
import { messageLimits } from "#formats/hl7";
import type { Archive, StudyIndex } from "#radiology/archive";
import type { HeardMessage } from "#radiology/relay";
import type { Schedule } from "#radiology/schedule";
import type { SendingEdge } from "#radiology/uplink";
import {
  type Actor,
  actorOf,
  anonymous,
  type Device,
  type Devices,
  type Gate,
  type StandingDevice,
  scopeOf,
} from "#trust/access";
import type { Records } from "#trust/vault";
import type { DeviceTrust } from "./device-trust.ts";

/** What one home does for systems that send it HL7 messages. */
export interface Hl7Side {
  /** Undefined for who is no partner. Problem `denied` for a machine that was not let send messages. */
  admit(claim: PartnerClaim): Promise<PartnerServices | undefined>;
  /** Has a message of a partner done once more, whatever was done by its control id. Problem `absent` when it is none any more. */
  again(partner: string, bytes: Uint8Array): Promise<HeardMessage>;
  /** Does what a message says that was done on an edge: once, however often it comes. Problem `invalid` when it is refused here. */
  fromEdge(edge: SendingEdge, message: EdgeMessage): Promise<void>;
}

export interface EdgeMessage {
  /** The title that the partner is known by on the edge. */
  readonly partner: string;
  /** Of this telling of it: a partner uses control ids again. */
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly uidKey: Buffer;
}

interface Hl7Parts {
  readonly archive: Pick<Archive, "correctPatient" | "mergePatients" | "settled">;
  readonly index: Pick<StudyIndex, "findStudies">;
  readonly schedule: Schedule;
  readonly devices: Devices;
  readonly trust: DeviceTrust;
  readonly records: Records;
  readonly gate: Gate;
  /** AE title of this home. */
  readonly ownTitle: string;
  /** On an edge: tells the cloud what was done here. */
  readonly handOn?: (partner: string, bytes: Uint8Array) => Promise<void>;
  /** Shared by an edge and its cloud, so that both give the same UID where a message gives none; else this home's own is used. */
  readonly uidKey?: () => Buffer | undefined;
  /** Keeps what came in. */
  readonly heard: (message: HeardMessage) => Promise<unknown>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const titleMax = 16;

/** Known systems come in by what they call themselves and their address, over TLS by their certificate, and say what they were let say. */
export function createHl7Side(parts: Hl7Parts): Hl7Side {
  const { devices, trust, gate, log } = parts;
  const once = createOnce(parts);
  return {
    async admit({ application, facility, address, certificates }) {
      const proof = certificates && (await trust.proofOf(certificates).catch(() => undefined));
      const title = await titleOf(devices, application, facility);
      const isSomebody = title !== undefined && (certificates === undefined || proof !== undefined);
      const device = isSomebody ? await devices.admit(title, address, proof) : undefined;
      if (device === undefined) {
        log.warn("hl7: a message from who is not known here was refused", { address });
        await gate.pass(anonymous, "message.receive", undefined, async () => {}).catch(() => {});
        return undefined;
      }
      const actor = actorFor(device);
      await gate.pass(actor, "message.receive", { kind: "device", id: device.id }, async () => {});
      return servicesFor(parts, actor, device, once);
    },
    async again(partner, bytes) {
      const device = await devices.named(partner);
      let came: HeardMessage | undefined;
      const services: PartnerServices = {
        ...servicesFor(parts, actorFor(device), device, once),
        once: async (_controlId, _digest, work) => {
          await work();
          return "done";
        },
        async heard(message) {
          came = heardFrom(device, message);
        },
      };
      const caller = { address: device.address, certificates: undefined };
      await answersTo({ ...parts, limits: messageLimits, partners: { admit: async () => services } }, bytes, caller);
      if (came === undefined) throw new Problem("conflict", "what was kept is no HL7 message");
      return came;
    },
    async fromEdge({ id, facility }, { partner, id: tellingId, bytes, uidKey }) {
      const sender = { id: `${id} ${partner}`, ae: partner, facility, may: edgeRights };
      let refusal: string | undefined;
      let failure: Problem | undefined;
      const services: PartnerServices = {
        ...servicesFor({ ...parts, uidKey: () => uidKey }, actorOf("edge", id), sender, once),
        handOn: async () => {},
        async once(_controlId, digest, work) {
          try {
            return await once(sender, tellingId, digest, work);
          } catch (error) {
            failure = asProblem(error, "doing what a message of an edge says");
            throw failure;
          }
        },
        async heard({ outcome, fault }) {
          if (outcome !== "accepted") refusal = fault?.what ?? outcome;
        },
      };
      const caller = { address: "", certificates: undefined };
      await answersTo({ ...parts, limits: messageLimits, partners: { admit: async () => services } }, bytes, caller);
      // What passes is tried again, in its place in the row.
      if (failure !== undefined && isPassing(failure)) throw failure;
      if (refusal === undefined) return;
      const remedy = "look at the order or the patient that it names, in the cloud and on the edge, then send it again";
      throw new Problem("invalid", `a message of a partner of the edge was refused: ${refusal}`, { remedy });
    },
  };
}

/** What an edge lets its partners say stands on the edge. */
const edgeRights = ["orders", "patients"] as const;

/** Who sends messages, as far as it matters what they do. */
type Sender = Pick<Device, "id" | "ae" | "facility"> & { readonly may: readonly DeviceRight[] };

const actorFor = (device: StandingDevice): Actor =>
  actorOf("device", device.id, { scope: scopeOf(device), isLive: device.isStanding });

const heardFrom = ({ id }: Pick<Sender, "id">, message: AnsweredMessage): HeardMessage => {
  const { kind, controlId, bytes, messages: answers, outcome: state, fault } = message;
  return { partner: id, kind, controlId, bytes, answers, state, ...(fault && { problem: fault.what }) };
};

/**
 * The title that a sender is registered by: `APPLICATION|FACILITY` where somebody registered that, else its application. Of a longer name
 * the first 16 characters, as many as a title has. Undefined for who calls itself nothing that a title can hold.
 */
async function titleOf(devices: Devices, application: string, facility: string): Promise<string | undefined> {
  const whole = `${application}|${facility}`.slice(0, titleMax).trim();
  const short = application.slice(0, titleMax).trim();
  if (!/^[\x20-\x5b\x5d-\x7e]+$/.test(short)) return undefined;
  return (await devices.list()).some(({ ae }) => ae === whole) ? whole : short;
}

type Once = (
  device: Pick<Sender, "id">,
  ...rest: Parameters<PartnerServices["once"]>
) => ReturnType<PartnerServices["once"]>;

/** How long a message is known by its control id: a sender that was cut off sends again within minutes, or after a long weekend. */
const knownMs = 7 * 24 * 60 * 60_000;
const sweptAtOnce = 100;

/** Messages that were done, by partner and control id; those of one partner take turns. */
function createOnce({ records, clock }: Hl7Parts): Once {
  const turns = createKeyedTurns();
  const shelf = records.shelf<{ readonly digest: string }>("hl7-message");
  const sweep = async (now: number) => {
    // Each for itself: another partner's turn may have taken one meanwhile.
    for (const over of await shelf.due(now, sweptAtOnce)) await records.change(shelf.remove(over));
  };
  return (device, controlId, digest, work) =>
    turns.take(device.id, async () => {
      await sweep(clock.now());
      const id = records.idOf("hl7-message", `${device.id}\n${controlId}`);
      const known = await shelf.get(id);
      if (known !== undefined) return known.value.digest === digest ? "known" : "other";
      await work();
      const isKept = await records.change(shelf.put(id, { digest }, { dueAt: clock.now() + knownMs }));
      if (!isKept) throw new Problem("busy", "the message was not kept", { remedy: "send it again" });
      return "done";
    });
}

const reason = { code: "COERCE", text: "as a message of HL7 says" } as const;
const stationsMax = 32;

function servicesFor(parts: Hl7Parts, actor: Actor, device: Sender, once: Once): PartnerServices {
  const { schedule, records, devices, ownTitle } = parts;
  const { facility, may } = device;
  const allow = (right: "orders" | "patients") => {
    if (!may.includes(right)) throw new Problem("denied", "this partner was not let send that");
  };
  const patients = patientsFor(parts, actor);
  return {
    once: (controlId, digest, work) => once(device, controlId, digest, work),
    async schedule(item, order) {
      allow("orders");
      await schedule.putOrder(actor, item, { ...order, facility });
    },
    async amendOrder(order, change) {
      allow("orders");
      await schedule.changeOrder(actor, { ...order, facility }, change);
    },
    async changePatient(patient, values) {
      allow("patients");
      await patients.change(patient, values);
    },
    async mergePatients(from, into, values) {
      allow("patients");
      await patients.rename(from, into, values, "merge");
    },
    async changePatientId(from, to, values) {
      allow("patients");
      await patients.rename(from, to, values, "refuse");
    },
    async handOn(bytes) {
      await parts.handOn?.(device.ae, bytes);
    },
    uidFor(text) {
      const [named, key] = [`${device.ae}\n${text}`, parts.uidKey?.()];
      const digest = (
        key === undefined
          ? createHash("sha256").update(records.idOf("hl7-uid", named))
          : createHmac("sha256", key).update(`hl7-uid\0${named}`)
      ).digest("hex");
      return `2.25.${BigInt(`0x${digest.slice(0, 32)}`)}`;
    },
    async stations() {
      const here = (await devices.list()).filter(
        (one) => one.may.includes("worklist") && (facility === "" || one.facility === "" || one.facility === facility),
      );
      const titles = [...new Set(here.map(({ ae }) => ae))].slice(0, stationsMax);
      return titles.length === 0 ? [ownTitle] : titles;
    },
    async heard(message) {
      await parts.heard(heardFrom(device, message));
    },
  };
}

/** A patient in the archive: modalities rarely say whose identifier it is, so the same without an issuer is taken for the same patient. */
type Ref = { readonly PatientID: string; readonly IssuerOfPatientID: string };
type Values = Readonly<Record<string, string>>;

function patientsFor({ archive, index, schedule }: Hl7Parts, actor: Actor) {
  const has = async (...matches: [keyword: string, value: string][]) => {
    const equal = matches.map(([keyword, value]) => ({ keyword, kind: "equal" as const, values: [value] }));
    return (await index.findStudies({ matches: equal, limit: 1, offset: 0 })).length > 0;
  };
  /** Those of its forms that may have studies: asked of the index, so that most messages open and log nothing. */
  const formsOf = async ({ id, authority }: PatientId): Promise<Ref[]> => {
    await archive.settled();
    if (!(await has(["PatientID", id]))) return [];
    const isNamed = authority !== "" && (await has(["PatientID", id], ["IssuerOfPatientID", authority]));
    return [
      ...(isNamed ? [{ PatientID: id, IssuerOfPatientID: authority }] : []),
      { PatientID: id, IssuerOfPatientID: "" },
    ];
  };
  /** False when that form has no studies. */
  const tried = async (work: Promise<unknown>): Promise<boolean> => {
    try {
      await work;
      return true;
    } catch (error) {
      if (isProblem(error, "absent")) return false;
      throw error;
    }
  };
  const correct = async (patient: PatientId, values: Values): Promise<void> => {
    if (Object.keys(values).length === 0) return;
    for (const form of await formsOf(patient)) await tried(archive.correctPatient(actor, form, values, reason));
  };
  const inSchedule = ({ id, authority }: PatientId, values: Values) =>
    schedule.changePatient(actor, { PatientID: id, IssuerOfPatientID: authority }, () => dataSetOf(values));

  return {
    async change(patient: PatientId, values: Values): Promise<void> {
      await correct(patient, values);
      await inSchedule(patient, values);
    },
    /** What was of one patient is of another one from now on, who is `into`. */
    async rename(from: PatientId, into: PatientId, values: Values, another: "merge" | "refuse"): Promise<void> {
      const olds = await formsOf(from);
      for (const old of olds) {
        const issuer = old.IssuerOfPatientID === "" ? "" : into.authority || old.IssuerOfPatientID;
        const to = { PatientID: into.id, IssuerOfPatientID: issuer };
        try {
          await tried(archive.correctPatient(actor, old, { ...to, ...values }, reason));
        } catch (error) {
          if (!isProblem(error, "conflict") || another === "refuse") throw error;
          await tried(archive.mergePatients(actor, old, to, reason));
        }
      }
      await correct(into, values);
      const issuer = into.authority === "" ? {} : { IssuerOfPatientID: into.authority };
      await inSchedule(from, { ...values, PatientID: into.id, ...issuer });
    },
  };
}
