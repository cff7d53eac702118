import type { Clock, Timer } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { type Farewell, type Frame, protocolVersion, sessionBytes } from "./frames.ts";
import type { Arrivals } from "./incoming.ts";
import { createReceivingSession, type ReceivingSession } from "./receiving-session.ts";
import { outOfTurn } from "./refusals.ts";
import { createRoom } from "./room.ts";
import { type Connection, openWire, type Wire } from "./wire.ts";

export interface ReceivingEdgeParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly windowBytes: number;
  /** Nothing is left of the edge here. */
  readonly idle: () => void;
}

/** What one edge has open: its session, and all its connections, those that wait for their session too. */
export interface ReceivingEdge {
  accept(connection: Connection, arrivals: Arrivals): void;
  /** Streams that were welcomed. */
  streams(): number;
  objects(): number;
  receivedBytes(): number;
  heldBytes(): number;
  /** Ends its session and closes its connections. Resolves when nothing is under way. */
  end(): Promise<void>;
  /** Takes no more, tells it, waits some seconds until what came is written, and ends. */
  close(): Promise<void>;
}

/** Objects that an edge may have in hand; an entry is some hundred bytes. */
const objectsMax = 2_048;
const streamsMax = 64;
/** The least that the sender cuts, but at the end of an object; what was sent twice and cut differently is kept in twice as many pieces. */
const pieceBytesLeast = 16 * 1024;
const helloMsMax = 10_000;
/** A session without a stream is kept for so long: its edge comes back with what was on its way. */
const lingerMs = 60_000;
const drainMsMax = 5_000;

/** An edge has one session: the next begins when the former has let go of everything. */
interface Kept {
  readonly id: Buffer;
  session: ReceivingSession | undefined;
}

export function createReceivingEdge(parts: ReceivingEdgeParts): ReceivingEdge {
  const { clock, log, random, windowBytes } = parts;
  const room = createRoom(windowBytes, 2 * (windowBytes / pieceBytesLeast + objectsMax));
  const wires = new Set<Wire>();
  let kept: Kept | undefined;
  /** Resolves when everything of the former session was let go of. */
  let ending: Promise<void> | undefined;
  let expiry: Timer | undefined;
  let isClosed = false;

  const lookIfIdle = (): void => {
    if (wires.size === 0 && kept === undefined && ending === undefined) parts.idle();
  };
  /** Ends the session, or the wait for it. */
  const endSession = (): void => {
    expiry?.stop();
    const session = kept?.session;
    kept = undefined;
    if (session !== undefined) {
      // There was none that ended still: else this one would not have begun.
      const { promise, resolve } = Promise.withResolvers<void>();
      ending = promise;
      void session.end().then(() => {
        ending = undefined;
        resolve();
        lookIfIdle();
      });
    }
    lookIfIdle();
  };
  const lingerIfAlone = (): void => {
    expiry?.stop();
    if (kept !== undefined && !kept.session?.streams()) expiry = clock.after(lingerMs, endSession);
  };
  /** The session of this id; undefined when another was wanted before it could begin. */
  const sessionOf = async (id: Buffer, arrivals: Arrivals): Promise<ReceivingSession | undefined> => {
    if (!kept?.id.equals(id)) {
      endSession();
      kept = { id, session: undefined };
    }
    const mine = kept as Kept;
    await ending;
    if (kept !== mine) return undefined;
    mine.session ??= createReceivingSession({
      ...{ arrivals, clock, log, room, windowBytes, objectsMax, left: endSession },
      incarnation: random(new Uint8Array(sessionBytes)),
    });
    return mine.session;
  };
  const farewell = (wire: Wire, reason: Farewell): void => {
    wire.send({ type: "goodbye", reason });
    wire.end();
  };
  const end = async (): Promise<void> => {
    for (const wire of [...wires]) wire.destroy();
    endSession();
    await ending;
  };

  return {
    accept(connection, arrivals) {
      if (wires.size >= 2 * streamsMax) return void connection.destroy();
      let joined: ReturnType<ReceivingSession["join"]> | undefined;
      let isKnown = false;
      const greet = async (hello: Extract<Frame, { type: "hello" }>): Promise<void> => {
        isKnown = true;
        if (hello.version !== protocolVersion) return farewell(wire, "other-version");
        const session = await sessionOf(Buffer.from(hello.session), arrivals);
        if (isClosed && wire.isOpen()) return farewell(wire, "leaving");
        if (session === undefined) return wire.destroy();
        if (wire.isOpen()) joined = session.join(wire);
        lingerIfAlone();
      };
      const patience = clock.after(helloMsMax, () => {
        if (!isKnown) wire.destroy();
      });
      const wire = openWire(connection, clock, {
        frame(frame) {
          if (joined !== undefined) return joined.frame(frame);
          // Others have been told to leave.
          if (frame.type === "alive" || !wire.isOpen()) return;
          if (isKnown || frame.type !== "hello") throw outOfTurn();
          void greet(frame);
        },
        gone(problem) {
          patience.stop();
          wires.delete(wire);
          if (problem !== undefined) log.info(`link: ${problem.message}`, { code: problem.code });
          joined?.gone();
          lingerIfAlone();
          lookIfIdle();
        },
      });
      wires.add(wire);
      if (isClosed) farewell(wire, "leaving");
      else if (wires.size > streamsMax) farewell(wire, "too-many");
    },
    streams: () => kept?.session?.streams() ?? 0,
    objects: () => kept?.session?.objects() ?? 0,
    receivedBytes: () => kept?.session?.receivedBytes() ?? 0,
    heldBytes: () => room.heldBytes(),
    end,
    async close() {
      isClosed = true;
      await kept?.session?.drain(drainMsMax);
      await end();
    },
  };
}
