import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { asProblem, isPassing, type Problem } from "#base/problem";
import { readFile } from "#formats/dicom";
import {
  type Envelope,
  type Message,
  momentText,
  orderStatusMessage,
  type Report,
  resultMessage,
  writeMessage,
} from "#formats/hl7";
import { type Archive, currentOf } from "#radiology/archive";
import type { Schedule } from "#radiology/schedule";
import { covers, type Gate, system } from "#trust/access";
import type { Kept } from "#trust/vault";
import { orderOf, reportOf } from "./message-contents.ts";
import type { Notice, Notices } from "./message-notices.ts";
import type { Partner } from "./message-peers.ts";
import type { MessageQueue } from "./message-queue.ts";
import { type MessageStore, messageBytesMost, type NewMessage } from "./message-store.ts";

export interface TellingParts {
  readonly notices: Notices;
  readonly store: MessageStore;
  readonly queue: MessageQueue;
  readonly partners: () => Promise<readonly Partner[]>;
  /** How a partner is written to. */
  readonly envelopeOf: (partner: Partner) => Omit<Envelope, "controlId" | "at">;
  readonly archive: Pick<Archive, "heldOf" | "settled" | "subjectOf">;
  readonly schedule: Pick<Schedule, "announced">;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes messages of what was noted, one notice after the other, and puts them into the queues. */
export interface Telling {
  begin(): void;
  close(): Promise<void>;
}

/** A document that is told of is read whole. */
const documentBytesMost = 16 * 1024 * 1024;
const againMs = 30_000;
/** A notice that fails by what it is holds up the others for so long. */
const failuresMost = 10;

/** What is told, and to whom: a partner with a facility is told of what lies there alone. */
interface Told {
  readonly kind: string;
  readonly isFor: (partner: Partner) => boolean;
  readonly write: (envelope: Envelope) => Message;
}

export function createTelling(parts: TellingParts): Telling {
  const { notices, store, queue, partners, envelopeOf, schedule, archive, gate, clock, log } = parts;
  let [isOpen, isAsked] = [false, false];
  let working: Promise<void> | undefined;
  let timer: Timer | undefined;
  const failures = new Map<string, number>();

  const orderTold = async (notice: Extract<Notice, { of: "order" }>): Promise<Told | undefined> => {
    const step = await schedule.announced(system, { token: notice.token });
    if (step === undefined) return undefined;
    const state = { ...orderOf(step), status: notice.status, since: momentText(notice.at) };
    return {
      kind: "ORM^O01",
      isFor: ({ id, takes, facility }) =>
        takes.includes("status") && `device:${id}` !== notice.by && (facility === "" || facility === notice.facility),
      write: (envelope) => orderStatusMessage(state, envelope),
    };
  };
  const reportTold = async ({ studyToken, sopUid }: Extract<Notice, { of: "report" }>): Promise<Told | undefined> => {
    await archive.settled();
    const subject = await archive.subjectOf(studyToken);
    if (subject === undefined) return undefined;
    const read = await gate.pass(system, "result.announce", subject, async (pass) => {
      const held = (await archive.heldOf(pass, studyToken, "read")).find((one) => one.sopUid === sopUid);
      if (held === undefined || held.sizeBytes > documentBytesMost) return undefined;
      const pieces: Buffer[] = [];
      for await (const piece of (await currentOf(held)).whole()) pieces.push(piece);
      return reportOf(readFile(Buffer.concat(pieces)).dataSet);
    });
    const report = read && (await withOrder(read));
    return (
      report && {
        kind: "ORU^R01",
        isFor: ({ takes, facility }) =>
          takes.includes("results") &&
          covers(facility === "" ? [] : [[{ kind: "facility", id: facility }]], subject.facts),
        write: (envelope) => resultMessage(report, envelope),
      }
    );
  };

  /** Many documents name no order: it is that of the step that the study was scheduled by. */
  const withOrder = async (report: Report): Promise<Report> => {
    if (report.placer !== "" || report.filler !== "") return report;
    const step = await schedule.announced(system, { studyUid: report.studyUid });
    const order = step && orderOf(step);
    if (order === undefined || order.patient.id !== report.patient.id) return report;
    const { placer, filler, accessionNumber } = order;
    return { ...report, placer, filler, accessionNumber: report.accessionNumber || accessionNumber };
  };

  const messageFor = (partner: Partner, { kind, write }: Told): NewMessage & { readonly id: string } => {
    const id = store.newId();
    const controlId = id.slice(0, controlIdLength);
    const bytes = writeMessage(write({ ...envelopeOf(partner), controlId, at: momentText(clock.now()) }));
    const head = { id, direction: "out", partner: partner.id, kind, controlId } as const;
    const aside = (problem: string, kept = new Uint8Array(0)) =>
      ({ ...head, state: "failed", bytes: kept, problem }) as const;
    if (bytes === undefined) return aside("the partner's character set cannot hold what the message says");
    if (bytes.length > messageBytesMost) return aside("the message is longer than is sent");
    // It can be sent again by hand.
    if (!queue.hasRoom(partner.id)) return aside("too much waits for this partner", Uint8Array.from(bytes));
    return { ...head, state: "waiting", bytes };
  };
  const tell = async (notice: Kept<Notice>): Promise<void> => {
    const { value } = notice;
    const told = await (value.of === "order" ? orderTold(value) : reportTold(value));
    const to = told === undefined ? [] : (await partners()).filter(told.isFor);
    const messages = told === undefined ? [] : to.map((partner) => messageFor(partner, told));
    if (!(await store.add(messages, ...(await notices.done(notice))))) return;
    for (const message of messages) if (message.state === "waiting") queue.queued(message);
  };

  /** False when one has to be tried again, before those behind it. */
  const tryTo = async (notice: Kept<Notice>): Promise<boolean> => {
    try {
      await tell(notice);
      failures.delete(notice.id);
      return true;
    } catch (error) {
      const problem = asProblem(error, "telling partners");
      const count = (failures.get(notice.id) ?? 0) + 1;
      failures.set(notice.id, count);
      const isLost = problem.code === "absent" || (count >= failuresMost && !isHealing(problem));
      if (isLost && isOpen) {
        failures.delete(notice.id);
        log.error("partners are not told of something", { notice: notice.id, of: notice.value.of }, problem);
        await store.add([], ...(await notices.done(notice)));
        return true;
      }
      if (!isPassing(problem) || count === 1) log.warn("partners are told later", { notice: notice.id }, problem);
      return false;
    }
  };
  const work = async (): Promise<void> => {
    while (isAsked && isOpen) {
      isAsked = false;
      for await (const notice of notices.waiting()) {
        if (!isOpen) return;
        if (await tryTo(notice)) continue;
        timer = clock.after(againMs, wake);
        return;
      }
    }
  };
  const wake = (): void => {
    isAsked = true;
    timer?.stop();
    if (!isOpen) return;
    working ??= work()
      .catch((error: unknown) => {
        log.error("what is to be told could not be read", {}, error);
        timer = clock.after(againMs, wake);
      })
      .finally(() => {
        working = undefined;
        if (isAsked) wake();
      });
  };

  return {
    begin() {
      isOpen = true;
      notices.listen(wake);
      wake();
    },
    async close() {
      isOpen = false;
      timer?.stop();
      await working;
    },
  };
}

/** Whether the fault is not of what is told: a fault of ours met ten times is met each time. */
const isHealing = (problem: Problem): boolean => isPassing(problem) && problem.code !== "fault";

/** MSH-10 of versions up to 2.6 has 20 characters (v2.5.1 §2.15.9.10). */
const controlIdLength = 20;
