import { createServer, type Socket } from "node:net";
import type { Clock, Timer } from "#base/clock";
import type { Random } from "#base/id";
import { addressOf, listenAt } from "#base/io";
import type { Log } from "#base/log";
import { type MessageLimits, messageLimits } from "#formats/hl7";
import { type AnswerParts, answersTo } from "./answers.ts";
import { createFrameReader, framed } from "./framing.ts";
import type { Connection, Incoming, Partners, ShownCertificates } from "./ports.ts";

export interface Hl7Limits extends MessageLimits {
  /** From the first byte of a frame to its last. */
  readonly frameMs: number;
  /** Of a partner: from one message to the next. Partners keep their connections open over a quiet night. */
  readonly idleMs: number;
  /** Until the first message that is a partner's, and for a frame, however it drips. */
  readonly strangerMs: number;
  /** For an answer to be taken. */
  readonly answerMs: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
}

export const hl7Limits: Hl7Limits = {
  ...messageLimits,
  frameMs: 30_000,
  idleMs: 12 * 60 * 60_000,
  strangerMs: 30_000,
  answerMs: 30_000,
  connectionsMax: 128,
  connectionsPerAddressMax: 16,
};

export interface Hl7DoorOptions {
  readonly partners: Partners;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits?: Partial<Hl7Limits>;
}

export interface Hl7Listener {
  readonly port: number;
  /** Takes no more messages; those under way are done and answered within `graceMs`. Resolves when every connection is gone. */
  close(graceMs?: number): Promise<void>;
}

export interface Hl7Door {
  /** Port 0 picks a free one. Rejects when the address cannot be bound. Plain where nothing else is said. */
  listen(at: { readonly host: string; readonly port: number }, incoming?: Incoming): Promise<Hl7Listener>;
  /** Takes a connection that was accepted elsewhere. */
  accept(connection: Connection, certificates?: ShownCertificates): void;
}

const plainly: Incoming = (take) => {
  const server = createServer({ noDelay: true }, (socket: Socket) => take(socket));
  return { server, close: () => void server.close() };
};

const closingMs = 10_000;

/** The acceptor of HL7 v2 over MLLP: messages of partners are done one after the other on a connection, and answered. */
export function createHl7Door(options: Hl7DoorOptions): Hl7Door {
  const { clock, log } = options;
  const limits: Hl7Limits = { ...hl7Limits, ...options.limits };
  const parts: AnswerParts = { ...options, limits };
  const open = new Set<Conversation>();

  const accept = (connection: Connection, certificates?: ShownCertificates, gone = () => {}): Conversation => {
    const address = addressOf(connection);
    makeRoom(open, address, limits);
    const conversation = converse({
      ...{ parts, limits, clock, log, connection, address, certificates },
      closed() {
        open.delete(conversation);
        gone();
      },
    });
    open.add(conversation);
    return conversation;
  };

  return {
    accept: (connection, certificates) => void accept(connection, certificates),
    async listen(at, incoming = plainly) {
      const mine = new Set<Conversation>();
      let allGone = () => {};
      const { server, close } = incoming((connection, certificates) => {
        const conversation: Conversation = accept(connection, certificates, () => {
          mine.delete(conversation);
          if (mine.size === 0) allGone();
        });
        mine.add(conversation);
      });
      const port = await listenAt(server, at);
      server.on("error", (error) => log.error("hl7: the listener failed", {}, error));
      return {
        port,
        async close(graceMs = closingMs) {
          close();
          const gone = new Promise<void>((resolve) => {
            allGone = resolve;
          });
          if (mine.size === 0) return;
          const overdue = clock.after(graceMs, () => mine.forEach((one) => void one.destroy()));
          for (const one of mine) one.finish();
          await gone;
          overdue.stop();
        },
      };
    },
  };
}

interface Conversation {
  readonly address: string;
  /** A message of it was a partner's. */
  readonly isPartner: () => boolean;
  /** Ends when the message under way is answered. */
  finish(): void;
  destroy(): void;
}

/** One that nobody of is known makes room before a partner's, and one of the address that holds the most before others. */
function makeRoom(open: Set<Conversation>, address: string, limits: Hl7Limits): void {
  const drop = (one: Conversation | undefined) => {
    if (one === undefined) return;
    // Its place is free now, whenever its end comes.
    open.delete(one);
    one.destroy();
  };
  const here = [...open].filter((one) => one.address === address);
  if (here.length >= limits.connectionsPerAddressMax) drop(here.find((one) => !one.isPartner()) ?? here[0]);
  if (open.size < limits.connectionsMax) return;
  const strangers = [...open].filter((one) => !one.isPartner());
  const byAddress = [...Map.groupBy(strangers.length > 0 ? strangers : open, (one) => one.address).values()];
  drop(byAddress.reduce((most, of) => (of.length > most.length ? of : most))[0]);
}

interface ConversationParts {
  readonly parts: AnswerParts;
  readonly limits: Hl7Limits;
  readonly clock: Clock;
  readonly log: Log;
  readonly connection: Connection;
  readonly address: string;
  readonly certificates: ShownCertificates | undefined;
  readonly closed: () => void;
}

/** What is said over one connection, until either side ends it. */
function converse(given: ConversationParts): Conversation {
  const { parts, limits, clock, log, connection, address, certificates, closed } = given;
  const frames = createFrameReader(limits.bytesMax);
  let isPartner = false;
  let isFinishing = false;
  let isBusy = false;
  let timer: Timer | undefined;
  /** What the timer is for: a frame is not given more time by each of its bytes. */
  let waitsFor: "frame" | "message" | undefined;

  const drop = (how: string): void => {
    log.info("hl7: connection dropped", { address, how });
    connection.destroy();
  };
  const wait = (what: "frame" | "message"): void => {
    if (waitsFor === what) return;
    waitsFor = what;
    timer?.stop();
    const ms = what === "frame" ? limits.frameMs : isPartner ? limits.idleMs : limits.strangerMs;
    timer = clock.after(ms, () => drop(what === "frame" ? "slow" : "idle"));
  };
  const send = (message: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      const late = clock.after(limits.answerMs, () => drop("unread"));
      connection.write(framed(message), () => {
        late.stop();
        resolve();
      });
    });
  const answer = async (bytes: Uint8Array, isWhole: boolean): Promise<boolean> => {
    // Of a part of a message no more is read than who it is to be answered to.
    const within = isWhole ? parts : { ...parts, limits: { ...limits, bytesMax: 0 } };
    const { messages, outcome, isStranger } = await answersTo(within, bytes, { address, certificates });
    if (!isStranger) isPartner = true;
    for (const message of messages) await send(message);
    log.info("hl7: message", { address, outcome });
    return !isStranger;
  };
  /** False when the connection is at its end. */
  const take = async (): Promise<boolean> => {
    for (let found = frames.next(); found !== undefined && !isFinishing; found = frames.next()) {
      timer?.stop();
      waitsFor = undefined;
      if (found.kind === "noise") return false;
      if (found.kind === "abandoned") log.warn("hl7: a frame was not ended", { address });
      if (found.kind === "abandoned") continue;
      const goesOn = await answer(found.bytes, found.kind === "frame");
      if (!goesOn || found.kind === "too-large") return false;
    }
    return !isFinishing;
  };
  const work = (): void => {
    if (isBusy) return;
    isBusy = true;
    connection.pause();
    take()
      .catch((error) => {
        log.error("hl7: a message was not answered", { address }, error);
        return false;
      })
      .then((goesOn) => {
        isBusy = false;
        if (connection.destroyed) return;
        if (!goesOn) return part();
        wait(frames.isWithin ? "frame" : "message");
        connection.resume();
      });
  };
  /** Ends our side; the other one has some time to end its own. */
  const part = (): void => {
    timer?.stop();
    timer = clock.after(partingMs, () => connection.destroy());
    connection.end();
    connection.resume();
    isFinishing = true;
  };

  connection.on("data", (bytes: Uint8Array) => {
    if (isFinishing) return;
    frames.push(bytes);
    work();
  });
  connection.on("end", () => connection.end());
  connection.on("error", () => {}); // 'close' follows
  connection.once("close", () => {
    timer?.stop();
    closed();
  });
  wait("message");
  return {
    address,
    isPartner: () => isPartner,
    finish() {
      isFinishing = true;
      if (!isBusy) part();
    },
    destroy: () => drop("room"),
  };
}

const partingMs = 1_000;
