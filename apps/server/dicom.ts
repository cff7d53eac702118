import type { Clock } from "#base/clock";
import { isLoopback } from "#base/io";
import type { Log } from "#base/log";
import { asProblem, Problem } from "#base/problem";
import {
  type Admission,
  type AssociationClaim,
  archiveFinds,
  archiveRetrieves,
  createDimseDoor,
  type DimseDoor,
  type DimseServices,
  type MoveDestination,
  type NormalizedService,
  performedServices,
  type ShownCertificates,
  storageCommitmentPushModel,
  storageCommitmentService,
  storagePolicy,
  type UserIdentity,
  worklistFinds,
} from "#doors/dimse";
import type { Archive } from "#radiology/archive";
import type { Transcoder } from "#radiology/images";
import type { Relay } from "#radiology/relay";
import type { Schedule } from "#radiology/schedule";
import {
  type Actor,
  actorOf,
  anonymous,
  type Device,
  type DeviceProof,
  type Devices,
  type Gate,
  type Reviews,
  type Subject,
  scopeOf,
  takesImages,
} from "#trust/access";
import type { CloudReading } from "./cloud-reading.ts";
import type { DeviceCalls } from "./device-calls.ts";
import type { DeviceTally } from "./device-tally.ts";
import type { DeviceTrust } from "./device-trust.ts";
import { createTally } from "./tally.ts";
import type { UserIdentities } from "./user-identities.ts";

/** What one home does for machines that call it by its AE title. */
export interface DicomSide {
  admit(claim: AssociationClaim): Promise<Admission>;
  /** PEM of its own authorities. */
  readonly authorities: readonly string[];
  /** Why none of its machines can have shown that; undefined when one may. */
  objection(shown: ShownCertificates): Promise<string | undefined>;
}

interface DicomParts {
  readonly archive: Archive;
  /** Where what machines send goes. */
  readonly intake: Pick<Archive, "receiveDataSet">;
  /** On an edge: the cloud's archive, for the machines here. */
  readonly through?: Pick<CloudReading, "finds" | "retrieves"> | undefined;
  readonly schedule: Schedule;
  readonly devices: Devices;
  readonly trust: DeviceTrust;
  readonly identities: UserIdentities;
  readonly gate: Gate;
  readonly reviews: Pick<Reviews, "notice">;
  readonly transcoder: Transcoder;
  readonly deviceCalls: DeviceCalls;
  readonly relay: Relay;
  readonly tally: Pick<DeviceTally, "counted">;
  /** AE title of this home. */
  readonly ownTitle: string;
  readonly log: Log;
}

/** The DICOM side of the facility: known machines come in by AE title and address, over TLS by AE title and certificate, and do what they were let do. */
export function createDicomSide(parts: DicomParts): DicomSide {
  const { devices, trust, identities, gate, reviews, log } = parts;
  devices.watchGuessing(() => {
    log.warn("one address tries one AE title after the other: nobody there is heard for a quarter of an hour");
    const noted = reviews.notice({ kind: "titles", actor: anonymous.id });
    noted.catch((error) => log.error("who guesses AE titles was not noted for review", {}, error));
  });
  /** Who says that it speaks through that machine, in the log; undefined for a name that is no more than a name. */
  const programBy = async (
    identity: UserIdentity,
    isPrivate: boolean,
    on: Subject,
  ): Promise<Actor | "refused" | undefined> => {
    try {
      const program = await identities.programOf(identity, isPrivate);
      if (program !== undefined) await gate.pass(program, "association.identify", on, async () => {});
      return program;
    } catch (error) {
      await gate.pass(anonymous, "association.identify", on, async () => {}).catch(() => {});
      log.warn("a user identity was refused", {
        kind: identity.kind,
        reason: asProblem(error, "verifying it").message,
      });
      return "refused";
    }
  };
  /** Undefined for who shows certificates that prove nothing (any more), with the reason in the log. */
  const provenBy = async (shown: ShownCertificates): Promise<DeviceProof | undefined> => {
    try {
      return await trust.proofOf(shown);
    } catch (error) {
      log.warn("the certificates of a machine prove nothing", {}, error);
      return undefined;
    }
  };
  return {
    authorities: trust.authorities,
    async objection(shown) {
      try {
        const isSomebody = await devices.isAnyBoundTo(await trust.proofOf(shown));
        return isSomebody ? undefined : "a certificate that is no machine's";
      } catch (error) {
        return asProblem(error, "examining a certificate").message;
      }
    },
    async admit({ callingAe, address, certificates, identity }) {
      const proof = certificates && (await provenBy(certificates));
      const isSomebody = certificates === undefined || proof !== undefined;
      const device = isSomebody ? await devices.admit(callingAe, address, proof) : undefined;
      if (device === undefined) {
        if (certificates === undefined && (await devices.needsCertificate(callingAe, address))) {
          log.warn("a machine that has a certificate called without it", { address });
        }
        await gate.pass(anonymous, "association.open", undefined, async () => {}).catch(() => {});
        return { admitted: false, reason: "calling-ae" };
      }
      const on: Subject = { kind: "device", id: device.id };
      const program = identity && (await programBy(identity, certificates !== undefined || isLoopback(address), on));
      if (program === "refused") return { admitted: false, reason: "identity" };
      const actor = actorOf("device", device.id, {
        scope: scopeOf(device),
        isLive: () => device.isStanding() && program?.isLive?.() !== false,
        ...(program?.sees && { sees: program.sees }),
      });
      await gate.pass(actor, "association.open", on, async () => {});
      return { admitted: true, services: servicesFor(parts, actor, device), identityVerified: true };
    },
  };
}

/**
 * What a machine may ask for. What it was not let do is refused in negotiation, and by the gate; storage by the gate alone: a machine that
 * retrieves by C-GET proposes it too.
 */
function servicesFor(parts: DicomParts, actor: Actor, device: Device): DimseServices {
  const { archive, schedule, relay, gate, ownTitle } = parts;
  const { facility, may } = device;
  // The cloud answers the box: who sees less than the box is answered from here alone.
  const through = facility === "" && actor.sees !== "masked" ? parts.through : undefined;
  const { performed } = schedule;
  const finds = archiveFinds({ archive, actor, retrieveAe: ownTitle });
  const retrieves = archiveRetrieves({ ...parts, actor, destination: destinationsOf(parts, actor) });
  return {
    finds: new Map([
      ...(may.includes("find") ? (through?.finds(finds, actor) ?? finds) : []),
      ...(may.includes("worklist") ? worklistFinds({ schedule, actor }) : []),
    ]),
    normalized: new Map([
      ...(may.includes("worklist") ? performedServices({ performed, actor, facility }) : []),
      ...(may.includes("store") ? [[storageCommitmentPushModel, commitmentFor(relay, actor, device)] as const] : []),
    ]),
    ...(may.includes("retrieve") && { retrieves: through?.retrieves(retrieves, actor) ?? retrieves }),
    echo: () => gate.pass(actor, "dicom.echo", undefined, async () => {}),
    store: parts.tally.counted(device.id, receivingFor(parts, actor, facility)),
  };
}

/** Storage commitment for one machine, whichever side began the association. */
export function commitmentFor(relay: Relay, actor: Actor, device: Device): NormalizedService {
  const { id } = device;
  return storageCommitmentService({
    async asked(request) {
      if (!takesImages(device)) throw new Problem("conflict", "no port is registered here to send the answer to");
      await relay.commitmentAsked(actor, id, request);
    },
    answered: (answer) => relay.commitmentAnswered(actor, id, answer),
  });
}

/** How instances of a machine come in; `facility` is the token of the one that it stands in. */
export function receivingFor(
  { intake, log }: Pick<DicomParts, "intake" | "log">,
  actor: Actor,
  facility: string,
): DimseServices["store"] {
  return ({ sopClassUid, sopInstanceUid, transferSyntaxUid, callingAe, isUrgent }) => {
    const header = { sopClassUid, sopInstanceUid, transferSyntaxUid, sourceAe: callingAe, facility, isUrgent };
    const receiving = intake.receiveDataSet(actor, header);
    return {
      write: receiving.write,
      finish: async () => {
        await receiving.finish();
      },
      abort: () => {
        receiving.abort().catch((error) => log.warn("an unfinished instance was not put away", {}, error));
      },
    };
  };
}

/** Where a C-MOVE may send: to machines that are registered with a port, at the address that they are known by, and nowhere else. */
function destinationsOf({ devices, deviceCalls, gate }: DicomParts, actor: Actor) {
  return async (aeTitle: string): Promise<MoveDestination> => {
    const device = await devices.destination(aeTitle);
    const on = device && ({ kind: "device", id: device.id } as const);
    // Who names what nobody registered is logged too.
    const called = await gate.pass(actor, "device.call", on, async () => {
      if (device === undefined) throw new Problem("absent", "no machine of that title takes images here");
      return device;
    });
    return { open: (contexts) => deviceCalls.open(called, contexts) };
  };
}

/** The one DICOM listener of an installation: the called AE title chooses whose machines may come in, and to whom all they send goes. */
export function createDicomDoor(parts: {
  /** `out-of-service` for the title of a home that did not open, undefined for one that nobody has. */
  readonly sideOf: (calledAe: string) => DicomSide | "out-of-service" | undefined;
  /** Of one called AE title. */
  readonly associationsMax: number;
  readonly clock: Clock;
  readonly log: Log;
}): DimseDoor {
  const { sideOf, associationsMax, clock, log } = parts;
  const tell = createTally({ clock, log });
  return createDimseDoor({
    callers: {
      async admit(claim) {
        const side = sideOf(claim.calledAe);
        if (side === undefined) return { admitted: false, reason: "called-ae" };
        if (side === "out-of-service") return { admitted: false, reason: "busy" };
        return side.admit(claim);
      },
    },
    policy: storagePolicy,
    on(event) {
      if (event.kind === "rejected") tell(`a DICOM association (${event.reason}), from ${event.address}`);
      if (event.kind === "dropped") tell(`a DICOM connection without an association, from ${event.address}`);
    },
    clock,
    log,
    limits: { associationsMax },
  });
}
