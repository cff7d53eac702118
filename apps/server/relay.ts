import { newUid } from "#base/id";
import {
  fetchStudy,
  findStudies,
  instanceAvailabilityNotification,
  type NormalizedService,
  notifyAvailability,
  onAssociation,
  plainContext,
  reportCommitment,
  requestCommitment,
  retrievedInstance,
  sendAll,
  storageCommitmentPushModel,
} from "#doors/dimse";
import type { Archive } from "#radiology/archive";
import type { Transcoder } from "#radiology/images";
import { createRelay, type Peers, type Relay, type RelayParts } from "#radiology/relay";
import { type Devices, takesImages } from "#trust/access";
import type { DeviceCalls } from "./device-calls.ts";
import { commitmentFor } from "./dicom.ts";
import { actorFor, machineNamed, openTo, receivingFrom } from "./machines.ts";

interface HouseParts extends Omit<RelayParts, "peers" | "notified" | "archive"> {
  readonly archive: Archive;
  readonly intake: Pick<Archive, "receiveDataSet">;
  readonly devices: Devices;
  readonly deviceCalls: DeviceCalls;
  readonly transcoder: Transcoder;
  /** AE title of this home. */
  readonly ownTitle: string;
}

/** What goes between this home and other machines: the queue, over DIMSE. */
export function openRelay(parts: HouseParts): Relay {
  const { devices } = parts;
  const relay: Relay = createRelay({
    ...parts,
    peers: dimsePeers(parts, () => relay),
    notified: async () =>
      (await devices.list()).filter((one) => one.may.includes("notify") && takesImages(one)).map(({ id }) => id),
  });
  return relay;
}

/** So long an association is kept open for a machine that says on it what it keeps. */
const answerMs = 5_000;
/** Somebody waits for what another archive finds; each match that comes would else be the begin of another wait. */
const findMs = 60_000;

function dimsePeers(parts: HouseParts, relay: () => Relay): Peers {
  const { devices, deviceCalls, transcoder, ownTitle, clock, random, log } = parts;
  const machine = (id: string) => machineNamed(devices, id);

  return {
    titleOf: async (id) => (await machine(id)).ae,
    async send(to, held, round) {
      const open = openTo(deviceCalls, await machine(to), round.signal);
      const instances = held.map((instance) => retrievedInstance(transcoder, instance));
      await sendAll(instances, { open }, { ...round, log });
    },
    async report(to, report, signal) {
      const open = openTo(deviceCalls, await machine(to), signal);
      const contexts = [{ ...plainContext(storageCommitmentPushModel), role: "scp" } as const];
      await onAssociation(open, contexts, signal, (association) => reportCommitment(association, report));
    },
    async ask(to, request, signal) {
      const device = await machine(to);
      const answered = Promise.withResolvers<void>();
      const service = commitmentFor(relay(), actorFor(device), device);
      const perform: NormalizedService["perform"] = (performed) => service.perform(performed).finally(answered.resolve);
      const serves = { normalized: new Map([[storageCommitmentPushModel, { perform }]]) };
      const open = openTo(deviceCalls, device, signal, serves);
      const contexts = [plainContext(storageCommitmentPushModel)];
      await onAssociation(open, contexts, signal, async (association) => {
        await requestCommitment(association, request);
        const timer = clock.after(answerMs, answered.resolve);
        await answered.promise.finally(timer.stop);
      });
    },
    async announce(to, study, signal) {
      const open = openTo(deviceCalls, await machine(to), signal);
      const contexts = [plainContext(instanceAvailabilityNotification)];
      const notice = { uid: newUid(random), retrieveAe: ownTitle };
      await onAssociation(open, contexts, signal, (association) => notifyAvailability(association, study, notice));
    },
    async fetch(from, studyUid, note, signal) {
      const device = await machine(from);
      const open = openTo(deviceCalls, device, signal);
      await fetchStudy(studyUid, { open, receive: receivingFrom(parts, device), ownAe: ownTitle, signal, note });
    },
    async find(at, keys) {
      const device = await machine(at);
      const stop = new AbortController();
      const timer = clock.after(findMs, () => stop.abort());
      const found = findStudies(openTo(deviceCalls, device, stop.signal), keys, stop.signal);
      return found.finally(timer.stop);
    },
  };
}
