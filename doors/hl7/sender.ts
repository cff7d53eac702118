import { connect } from "node:net";
import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import { type Acknowledgment, acknowledgmentIn, readMessage } from "#formats/hl7";
import { createFrameReader, type Framed, framed } from "./framing.ts";
import type { Connection } from "./ports.ts";

/** What the other end said to a message. */
export interface SentAnswer {
  /** - `accepted` AA or CA - `error` AE or CE - `rejected` AR or CR - `unclear` nothing that answers this message */
  readonly kind: "accepted" | "error" | "rejected" | "unclear";
  /** Why it was not accepted, in our words; theirs stand in the bytes. */
  readonly said: string;
  /** What came, as it came. */
  readonly bytes: Uint8Array;
}

export interface Hl7SenderLimits {
  /** From a message that was sent to its answer. */
  readonly answerMs: number;
  readonly answerBytesMax: number;
  /** Until there is a connection. */
  readonly openMs: number;
}

const usualLimits: Hl7SenderLimits = { answerMs: 60_000, answerBytesMax: 256 * 1024, openMs: 30_000 };

export interface Hl7SenderOptions {
  /** Opens a connection to the one receiver. */
  readonly open: () => Promise<Connection>;
  readonly clock: Clock;
  readonly limits?: Partial<Hl7SenderLimits>;
}

/** One receiver of HL7 messages over MLLP, on one connection that stays open: a message is in flight until it is answered. */
export interface Hl7Sender {
  /** Has a connection opened where there is none. Problem `unavailable` when there is none to be had. */
  ready(): Promise<void>;
  /** One after the other: whoever calls waits for the last one's end. Problem `unavailable` when no answer came. */
  send(message: Uint8Array, controlId: string): Promise<SentAnswer>;
  /** Ends what is open; a message in flight rejects. */
  close(): void;
}

/** Answers to earlier messages that may still come: of what was done, in enhanced mode; of what was sent twice. */
const earlierMost = 32;
/** Before the answer that is waited for. */
const strayMost = 32;

export function createHl7Sender({ open, clock, limits: given }: Hl7SenderOptions): Hl7Sender {
  const limits = { ...usualLimits, ...given };
  const earlier: string[] = [];
  let line: Line | undefined;
  let isClosed = false;

  const lineNow = async (): Promise<Line> => {
    if (isClosed) throw new Problem("unavailable", "sending was ended");
    if (line?.isOpen() === true) return line;
    const connection = await within(clock, limits.openMs, open());
    line = lineOn(connection, limits.answerBytesMax);
    if (isClosed) line.end();
    return line;
  };
  const once = async (at: Line, message: Uint8Array, controlId: string): Promise<SentAnswer | "closed"> => {
    const late = clock.after(limits.answerMs, at.giveUp);
    try {
      at.write(framed(message));
      for (let stray = 0; stray < strayMost; stray++) {
        const found = await at.next();
        if (found === "closed") return "closed";
        const answer = judged(found, controlId, earlier);
        if (answer !== undefined) return answer;
      }
      return { kind: "unclear", said: "one answer after the other came to earlier messages", bytes: nothing };
    } finally {
      late.stop();
    }
  };

  return {
    async ready() {
      await lineNow();
    },
    async send(message, controlId) {
      let at = await lineNow();
      const wasUsed = at.isUsed();
      let answer = await once(at, message, controlId);
      // It closed what had been quiet for long, perhaps before it heard us: the same message bears the same control id.
      if (answer === "closed" && wasUsed && !at.isLate() && !isClosed) {
        at = await lineNow();
        answer = await once(at, message, controlId);
      }
      if (answer === "closed") {
        const why = at.isLate() ? "no answer came in time" : "the connection was closed before an answer came";
        throw new Problem("unavailable", why);
      }
      // What comes after something unclear cannot be told apart any more.
      if (answer.kind === "unclear") at.end();
      earlier.push(controlId);
      if (earlier.length > earlierMost) earlier.shift();
      return answer;
    },
    close() {
      isClosed = true;
      line?.end();
    },
  };
}

const nothing = new Uint8Array(0);

/** Undefined for an answer to an earlier message. */
function judged(found: Framed, controlId: string, earlier: readonly string[]): SentAnswer | undefined {
  if (found.kind === "noise") return { kind: "unclear", said: "bytes that are no frame", bytes: nothing };
  if (found.kind === "abandoned") return { kind: "unclear", said: "an answer that was not ended", bytes: nothing };
  const bytes = found.bytes.slice();
  const unclear = (said: string): SentAnswer => ({ kind: "unclear", said, bytes });
  if (found.kind === "too-large") return unclear("an answer longer than is taken here");
  const reading = readMessage(bytes);
  if (reading.kind === "refused") return unclear("an answer that is no HL7 message");
  const said = acknowledgmentIn(reading.message);
  if (said === undefined) return unclear("a message that is no answer");
  if (said.controlId !== controlId) {
    return earlier.includes(said.controlId) ? undefined : unclear("an answer to another message");
  }
  const kind = kindOf(said);
  return { kind, said: kind === "accepted" ? "" : `it answered ${said.code}`, bytes };
}

/** Some receivers answer in the codes of the other mode: what they mean is clear. */
function kindOf({ code }: Acknowledgment): SentAnswer["kind"] {
  const letter = code.charAt(1);
  return letter === "A" ? "accepted" : letter === "E" ? "error" : "rejected";
}

interface Line {
  isOpen(): boolean;
  /** Something was sent on it. */
  isUsed(): boolean;
  /** It ended because nothing came for too long. */
  isLate(): boolean;
  write(bytes: Uint8Array): void;
  /** What comes next, of what came since something was written. */
  next(): Promise<Framed | "closed">;
  end(): void;
  giveUp(): void;
}

/** A connection as what is heard on it. What comes while nothing is waited for is read and let go: nothing of it piles up. */
function lineOn(connection: Connection, answerBytesMax: number): Line {
  const frames = createFrameReader(answerBytesMax);
  const heard: Framed[] = [];
  let [isGone, isLate, isAsked] = [false, false, false];
  let waiting: ((found: Framed | "closed") => void) | undefined;
  const hand = (): void => {
    if (waiting === undefined || (heard.length === 0 && !isGone)) return;
    const take = waiting;
    waiting = undefined;
    take(heard.shift() ?? "closed");
  };
  connection.on("data", (bytes: Uint8Array) => {
    frames.push(bytes);
    for (let found = frames.next(); found !== undefined; found = frames.next()) {
      const isLost = found.kind === "noise" || found.kind === "too-large";
      if (isAsked && heard.length < strayMost) heard.push(found);
      else if (isLost) connection.destroy();
      if (isLost) break;
    }
    hand();
  });
  connection.on("error", () => {}); // 'close' follows
  connection.on("end", () => connection.end());
  connection.once("close", () => {
    isGone = true;
    hand();
  });
  return {
    isOpen: () => !isGone && !connection.destroyed && connection.writable,
    isUsed: () => isAsked,
    isLate: () => isLate,
    write(bytes) {
      heard.length = 0;
      isAsked = true;
      connection.write(bytes);
    },
    next: () =>
      new Promise((resolve) => {
        waiting = resolve;
        hand();
      }),
    end: () => void connection.destroy(),
    giveUp() {
      isLate = true;
      connection.destroy();
    },
  };
}

/** A connection without TLS. Problem `unavailable` when there is none to be had. */
export function connectPlainly(to: { readonly host: string; readonly port: number }): Promise<Connection> {
  const socket = connect({ ...to, noDelay: true });
  socket.on("error", () => {}); // whoever uses it hears of its 'close'
  return new Promise((resolve, reject) => {
    const lost = (cause: Error) => reject(new Problem("unavailable", "the receiver cannot be reached", { cause }));
    socket.once("error", lost);
    socket.once("connect", () => {
      socket.off("error", lost);
      resolve(socket);
    });
  });
}

async function within(clock: Clock, ms: number, opening: Promise<Connection>): Promise<Connection> {
  const late = Promise.withResolvers<never>();
  const timer = clock.after(ms, () => late.reject(new Problem("unavailable", "the receiver was not reached in time")));
  try {
    return await Promise.race([opening, late.promise]);
  } catch (error) {
    opening.then((connection) => connection.destroy()).catch(() => {});
    throw error;
  } finally {
    timer.stop();
  }
}
