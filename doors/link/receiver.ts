import type { Clock, Timer } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import type { Problem } from "#base/problem";
import { type Farewell, type Frame, protocolVersion, sessionBytes } from "./frames.ts";
import type { Arrivals } from "./incoming.ts";
import { createReceivingSession, type ReceivingSession } from "./receiving-session.ts";
import { outOfTurn } from "./refusals.ts";
import { type Connection, openWire, type Wire } from "./wire.ts";

export interface LinkReceiverParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What one edge may have on its way to memory: at most so much is held for it. */
  readonly windowBytes?: number;
}

/** What one edge has open. */
export interface EdgeLink {
  readonly edge: string;
  readonly streams: number;
  readonly objectsOnTheWay: number;
  readonly receivedBytes: number;
}

export interface LinkReceiver {
  /** Takes a stream whose other end was proven to be this edge. */
  accept(connection: Connection, from: { readonly edge: string; readonly arrivals: Arrivals }): void;
  edges(): readonly EdgeLink[];
  /** Ends what this edge has open: it may no longer. */
  cut(edge: string): Promise<void>;
  /** Tells every edge, waits some seconds until what came is written, and ends. */
  close(): Promise<void>;
}

const windowBytesUsual = 32 * 2 ** 20;
/** Objects that an edge may have in hand; an entry is some hundred bytes. */
const objectsMax = 2_048;
const streamsMax = 64;
const helloMsMax = 10_000;
/** A session without a stream is kept for so long: its edge comes back with what was on its way. */
const lingerMs = 60_000;
const drainMsMax = 5_000;

/** A session with what is to happen before and after it. */
interface Kept {
  readonly id: Buffer;
  readonly session: ReceivingSession;
  /** The edge's session before this one has let go of everything. */
  readonly ready: Promise<void>;
  expiry: Timer | undefined;
}

/** The cloud's end of the link, for all edges. An edge has one session; the next one ends it. */
export function createLinkReceiver(parts: LinkReceiverParts): LinkReceiver {
  const { clock, log, random, windowBytes = windowBytesUsual } = parts;
  const kept = new Map<string, Kept>();
  const strangers = new Set<Wire>();
  let isClosed = false;

  const end = async (edge: string, which: Kept): Promise<void> => {
    which.expiry?.stop();
    if (kept.get(edge) === which) kept.delete(edge);
    await which.session.end();
  };
  const sessionFor = (edge: string, id: Buffer, arrivals: Arrivals): Kept => {
    const former = kept.get(edge);
    if (former?.id.equals(id)) return former;
    const made: Kept = {
      id,
      session: createReceivingSession({
        ...{ arrivals, clock, log, windowBytes, objectsMax },
        incarnation: random(new Uint8Array(sessionBytes)),
      }),
      ready: former === undefined ? Promise.resolve() : former.ready.then(() => end(edge, former)),
      expiry: undefined,
    };
    kept.set(edge, made);
    return made;
  };
  const farewell = (wire: Wire, reason: Farewell): undefined => {
    wire.send({ type: "goodbye", reason });
    wire.end();
  };

  return {
    accept(connection, { edge, arrivals }) {
      let joined: ReturnType<ReceivingSession["join"]> | undefined;
      let isKnown = false;
      const greet = async (frame: Extract<Frame, { type: "hello" }>): Promise<void> => {
        isKnown = true;
        if (isClosed) return farewell(wire, "leaving");
        if (frame.version !== protocolVersion) return farewell(wire, "other-version");
        const mine = sessionFor(edge, Buffer.from(frame.session), arrivals);
        if (mine.session.streams() >= streamsMax) return farewell(wire, "too-many");
        await mine.ready;
        if (!wire.isOpen() || kept.get(edge) !== mine) return wire.destroy();
        mine.expiry?.stop();
        strangers.delete(wire);
        const { frame: hear, gone } = mine.session.join(wire);
        joined = {
          frame: hear,
          gone() {
            gone();
            if (mine.session.streams() > 0) return;
            mine.expiry?.stop();
            mine.expiry = clock.after(lingerMs, () => void end(edge, mine));
          },
        };
      };
      const patience = clock.after(helloMsMax, () => {
        if (!isKnown) wire.destroy();
      });
      const wire = openWire(connection, clock, {
        frame(frame) {
          if (joined !== undefined) return joined.frame(frame);
          if (frame.type === "alive") return;
          if (isKnown || frame.type !== "hello") throw outOfTurn();
          void greet(frame);
        },
        gone(problem: Problem | undefined) {
          patience.stop();
          strangers.delete(wire);
          if (problem !== undefined) log.info(`link: ${problem.message}`, { code: problem.code });
          joined?.gone();
        },
      });
      strangers.add(wire);
    },
    edges: () =>
      [...kept].map(([edge, { session }]) => ({
        edge,
        streams: session.streams(),
        objectsOnTheWay: session.objects(),
        receivedBytes: session.receivedBytes(),
      })),
    async cut(edge) {
      const found = kept.get(edge);
      if (found !== undefined) await end(edge, found);
    },
    async close() {
      isClosed = true;
      for (const wire of [...strangers]) wire.destroy();
      await Promise.all([...kept.values()].map(({ session }) => session.drain(drainMsMax)));
      await Promise.all([...kept].map(([edge, each]) => end(edge, each)));
    },
  };
}
