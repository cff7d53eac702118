import type { Clock, Timer } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { type MessageState, type PartnerTerms, partnerCharacterSets } from "#formats/api";
import type { Archive } from "#radiology/archive";
import type { Schedule } from "#radiology/schedule";
import type { Act, Actor, Gate, Subject } from "#trust/access";
import type { Records } from "#trust/vault";
import type { Notices } from "./message-notices.ts";
import type { Deliver, Partner } from "./message-peers.ts";
import { createMessageQueue, type QueueState } from "./message-queue.ts";
import { createMessageStore, type MessageBytes, type MessageHeading, type NewMessage } from "./message-store.ts";
import { createTelling } from "./message-telling.ts";

/** A partner, how it is written to, and how its queue stands. */
export interface PartnerState extends Omit<Partner, "facility">, PartnerTerms, QueueState {
  readonly isPaused: boolean;
}

/** A message that came, and what became of it. */
export type HeardMessage = Pick<
  NewMessage,
  "partner" | "kind" | "controlId" | "bytes" | "answers" | "problem" | "replayOf"
> & { readonly state: "accepted" | "error" | "rejected" };

/** Which messages a list has. What is left out is whatever it is. */
export interface MessageChoice {
  readonly partner?: string;
  readonly direction?: "in" | "out";
  readonly kind?: string;
  readonly state?: MessageState;
  readonly from?: number;
  readonly until?: number;
  /** Only those that came to be before this one. */
  readonly before?: string;
  readonly limit: number;
}

/** Messages of HL7 that come and go. Every call of a person names its actor and goes through the gate. */
export interface Messages {
  /** Those that take messages. */
  partners(actor: Actor): Promise<PartnerState[]>;
  /** Problem `absent` without such a partner, `invalid` for terms that no message can be written by. */
  setPartner(actor: Actor, id: string, terms: PartnerTerms): Promise<PartnerState>;
  pause(actor: Actor, id: string): Promise<PartnerState>;
  /** Sends what waits now. */
  resume(actor: Actor, id: string): Promise<PartnerState>;
  /** The newest first. */
  list(actor: Actor, choice: MessageChoice): Promise<{ messages: MessageHeading[]; isMore: boolean }>;
  /** One with all that it says. */
  read(actor: Actor, id: string): Promise<MessageHeading & MessageBytes>;
  /** One that went out goes again, under its control id; one that came in is done again. Problem `conflict` where that cannot be. */
  replay(actor: Actor, id: string): Promise<MessageHeading>;
  /** Problem `conflict` for one that does not wait. */
  cancel(actor: Actor, id: string): Promise<MessageHeading>;
  /** Keeps what came. It is done and answered already: what fails here is in the log alone. */
  heard(message: HeardMessage): Promise<MessageHeading | undefined>;
  /** Takes up what the last process left. */
  begin(): void;
  close(): Promise<void>;
}

export interface MessagesParts {
  readonly archive: Pick<Archive, "heldOf" | "settled" | "subjectOf">;
  readonly schedule: Pick<Schedule, "announced">;
  readonly notices: Notices;
  readonly partners: () => Promise<readonly Partner[]>;
  readonly deliver: Deliver;
  /** Has a message of a partner done once more: what became of it. Problem when nobody can send it any more. */
  readonly process: (partner: string, bytes: Uint8Array) => Promise<HeardMessage>;
  /** What we call ourselves where nothing is said. */
  readonly ownTitle: string;
  readonly keptDays: number;
  readonly records: Records;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface PartnerRecord extends PartnerTerms {
  readonly isPaused: boolean;
}

const dayMs = 86_400_000;
const sweepEveryMs = 60_000;
/** MSH-3 to MSH-6 are HD: their first component. */
const nameMost = 64;

export function createMessages(parts: MessagesParts): Messages {
  const { gate, records, clock, log, ownTitle } = parts;
  const store = createMessageStore({ ...parts, keptMs: parts.keptDays * dayMs });
  const queue = createMessageQueue({ ...parts, store });
  const shelf = records.shelf<PartnerRecord>("hl7-partner");
  const settings = new Map<string, PartnerRecord>();
  const settingsOf = (partner: Pick<Partner, "id" | "ae">): PartnerRecord => {
    const [application = "", facility = ""] = partner.ae.split("|");
    const usual = { characterSet: "UNICODE UTF-8", acknowledgment: "original", isPaused: false } as const;
    return settings.get(partner.id) ?? { application, facility, ownApplication: ownTitle, ownFacility: "", ...usual };
  };
  const telling = createTelling({
    ...{ ...parts, store, queue },
    envelopeOf(partner) {
      const { application, facility, ownApplication, ownFacility, characterSet, acknowledgment } = settingsOf(partner);
      const from = { application: ownApplication, facility: ownFacility };
      return { from, to: { application, facility }, characterSet, mode: acknowledgment };
    },
  });
  let timer: Timer | undefined;
  /** What was kept is read while the server answers already: a month of messages takes a second. */
  let ready = Promise.resolve();
  const pass = <T>(actor: Actor, act: Act, on: Subject | undefined, work: () => Promise<T>): Promise<T> =>
    gate.pass(actor, act, on, async () => {
      await ready;
      return work();
    });

  const stateOf = (partner: Partner): PartnerState => {
    const { id, ae, takes } = partner;
    return { id, ae, takes, ...settingsOf(partner), ...queue.stateOf(id) };
  };
  const partnerNamed = async (id: string): Promise<Partner> => {
    const partner = (await parts.partners()).find((one) => one.id === id);
    if (partner !== undefined) return partner;
    throw new Problem("absent", "no such partner", {
      remedy: "leadglass device add RIS --address A --port P --may results,status makes one",
    });
  };
  const change = async (id: string, terms: Partial<PartnerRecord>): Promise<PartnerState> => {
    const partner = await partnerNamed(id);
    const next = { ...settingsOf(partner), ...terms };
    const isKept = await records.change(shelf.put(id, next, { known: await shelf.get(id) }));
    if (!isKept) throw new Problem("busy", "somebody else changed this partner", { remedy: "try again" });
    settings.set(id, next);
    return stateOf(partner);
  };
  const steer = <T>(actor: Actor, kind: "device" | "message", id: string, work: () => Promise<T>): Promise<T> =>
    pass(actor, "message.steer", subject(kind, id), work);
  const named = (id: string): MessageHeading => {
    const found = store.get(id);
    if (found !== undefined) return found;
    throw new Problem("absent", "no such message", { remedy: "leadglass messages lists those there are" });
  };
  const opened = async (id: string): Promise<MessageBytes> => {
    const found = await store.bytesOf(id);
    return found ?? { bytes: new Uint8Array(0), isCut: false, answers: [] };
  };
  const put = async (message: NewMessage): Promise<MessageHeading> => {
    const id = store.newId();
    await store.add([{ ...message, id }]);
    return named(id);
  };

  const sendAgain = async (original: MessageHeading, bytes: Uint8Array): Promise<MessageHeading> => {
    const { id: replayOf, partner, kind, controlId } = original;
    await partnerNamed(partner);
    if (original.state === "waiting") throw new Problem("conflict", "this message waits to be sent already");
    if (bytes.length === 0) throw new Problem("conflict", "this message could not be written, and cannot be sent");
    if (!queue.hasRoom(partner)) throw new Problem("no-room", "the partner's queue is full");
    const heading = await put({ direction: "out", partner, kind, controlId, state: "waiting", bytes, replayOf });
    queue.queued(heading);
    return heading;
  };
  const doAgain = async ({ id: replayOf, partner }: MessageHeading, { bytes, isCut }: MessageBytes) => {
    if (isCut) throw new Problem("conflict", "this message was longer than is kept, and cannot be done again");
    return put({ ...(await parts.process(partner, bytes)), direction: "in", replayOf });
  };
  const load = async (): Promise<void> => {
    await store.open();
    for await (const { id, value } of shelf.all()) settings.set(id, value);
    if (isClosed) return;
    queue.begin((id) => settings.get(id)?.isPaused === true);
    telling.begin();
    sweep();
  };
  let isClosed = false;
  const sweep = (): void => {
    store.sweep().catch((error: unknown) => log.warn("messages that are over were not put away", {}, error));
    timer = clock.after(sweepEveryMs, sweep);
  };

  return {
    partners: (actor) =>
      pass(actor, "message.list", undefined, async () => (await parts.partners()).map((one) => stateOf(one))),
    setPartner: (actor, id, terms) =>
      pass(actor, "device.write", subject("device", id), async () => change(id, checked(terms))),
    pause: (actor, id) =>
      steer(actor, "device", id, async () => {
        const state = await change(id, { isPaused: true });
        queue.pause(id);
        return state;
      }),
    resume: (actor, id) =>
      steer(actor, "device", id, async () => {
        await change(id, { isPaused: false });
        queue.resume(id);
        return stateOf(await partnerNamed(id));
      }),
    list: (actor, choice) =>
      pass(actor, "message.list", undefined, async () => {
        const found: MessageHeading[] = [];
        for (const heading of [...store.all()].reverse()) {
          if (!isChosen(heading, choice)) continue;
          if (found.length >= choice.limit) return { messages: found, isMore: true };
          found.push(heading);
        }
        return { messages: found, isMore: false };
      }),
    read: (actor, id) =>
      pass(actor, "message.read", subject("message", id), async () => ({ ...named(id), ...(await opened(id)) })),
    replay: (actor, id) =>
      steer(actor, "message", id, async () => {
        const original = named(id);
        const text = await opened(id);
        return original.direction === "out" ? sendAgain(original, text.bytes) : doAgain(original, text);
      }),
    cancel: (actor, id) =>
      steer(actor, "message", id, async () => {
        const { attempts, state } = named(id);
        const cancelled = state === "waiting" ? await store.turn(id, { state: "cancelled", attempts }) : undefined;
        if (cancelled === undefined) throw new Problem("conflict", "this message does not wait any more");
        return cancelled;
      }),
    async heard(message) {
      try {
        return await put({ ...message, direction: "in" });
      } catch (error) {
        log.warn("a message that came was not kept", {}, error);
        return undefined;
      }
    },
    begin() {
      ready = load();
      ready.catch((error: unknown) => log.error("messages could not be read: none is sent", {}, error));
    },
    async close() {
      isClosed = true;
      await ready.catch(() => {});
      timer?.stop();
      await telling.close();
      await queue.close();
    },
  };
}

/** Only what looks like an id of ours goes into the log; anything else came from the caller. */
function subject(kind: "device" | "message", id: string) {
  return { kind, id: /^[0-9a-f]{32}$/.test(id) ? id : "unknown" } as const;
}

function isChosen(heading: MessageHeading, choice: MessageChoice): boolean {
  const { partner, direction, kind, state, from = 0, until = Number.POSITIVE_INFINITY, before } = choice;
  return (
    (partner === undefined || heading.partner === partner) &&
    (direction === undefined || heading.direction === direction) &&
    (kind === undefined || heading.kind === kind) &&
    (state === undefined || heading.state === state) &&
    (before === undefined || heading.id < before) &&
    heading.at >= from &&
    heading.at <= until
  );
}

function checked(terms: PartnerTerms): PartnerTerms {
  const { application, facility, ownApplication, ownFacility, characterSet, acknowledgment } = terms;
  const names = [application, facility, ownApplication, ownFacility].map((name) => name.trim());
  if (names.some((name) => name.length > nameMost || !/^[\x20-\x7e]*$/.test(name))) {
    const remedy = `up to ${nameMost} printable characters`;
    throw new Problem("invalid", "not the name of an application or facility", { remedy });
  }
  if (!(partnerCharacterSets as readonly string[]).includes(characterSet)) {
    throw new Problem("invalid", "not a character set", { remedy: `one of ${partnerCharacterSets.join(", ")}` });
  }
  const [to = "", toFacility = "", from = "", fromFacility = ""] = names;
  return {
    ...{ application: to, facility: toFacility, ownApplication: from, ownFacility: fromFacility },
    ...{ characterSet, acknowledgment },
  };
}
