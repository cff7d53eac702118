import type { Clock, Timer } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { asProblem, Problem } from "#base/problem";
import type { Bandwidth } from "./bandwidth.ts";
import { createFlight, type Flight } from "./flight.ts";
import { type Frame, listedMax, protocolVersion, sessionBytes } from "./frames.ts";
import { createInHand, type InHand, type Piece } from "./in-hand.ts";
import { type OutgoingQueue, type Urgency, urgencies } from "./outgoing.ts";
import { farewellProblem, outOfTurn, refusalProblem } from "./refusals.ts";
import { type Connection, openWire, type Wire } from "./wire.ts";

export interface SendingParts {
  readonly queue: OutgoingQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly bandwidth: Bandwidth;
  /** A stream broke, or ended as it should, or was welcomed, or was of use. */
  readonly changed: (how: "fewer" | "ended" | "welcome" | "useful") => void;
  /** Why something does not get on. */
  readonly note: (problem: Problem) => void;
}

/** The edge's end of one session: what it has in hand, and the streams that it is sent on. */
export interface SendingSession {
  join(connection: Connection): void;
  /** Streams that send, or will when they are welcome. */
  streams(): number;
  /** Whether the cloud has welcomed one of them: the way there is open. */
  isThrough(): boolean;
  /** Lets so many streams end, those that bring least, once what is on its way on them has arrived. */
  retire(count: number): void;
  /** What happened since the last call. */
  interval(): {
    readonly bytes: number;
    readonly streams: number;
    readonly streamsNow: number;
    readonly isFull: boolean;
  };
  objectsInHand(): number;
  /** The way there and back, at its best; 0 while it is not known. */
  delayMs(): number;
  /** Sends nothing new, waits some seconds for what is on its way, says goodbye. */
  leave(): Promise<void>;
}

interface Stream {
  readonly wire: Wire;
  readonly flight: Flight;
  readonly joinedAt: number;
  isWelcome: boolean;
  /** It brings to its end what it has, and gets nothing new. */
  isRetiring: boolean;
  isPumping: boolean;
  bytesThisInterval: number;
  /** It was there when the interval began. */
  isSteady: boolean;
}

/** The sender's own bound on bytes that are sent and not taken, whatever the cloud offers: they are read again, never kept. */
const windowBytesMax = 64 * 2 ** 20;
/** How much of the cloud's places for objects each urgency may fill: what is urgent finds room at any time. */
const shareOf: Readonly<Record<Urgency, number>> = { stat: 1, first: 0.75, routine: 0.5 };
const sweepEveryMs = 5_000;
/** Nothing was heard of an object for so long: its answer may have been lost with a stream that only looked alive. */
const askAgainAfterMs = 10_000;
const leaveMsMax = 3_000;

export function createSendingSession(parts: SendingParts): SendingSession {
  const { queue, clock, bandwidth, changed } = parts;
  const id = parts.random(new Uint8Array(sessionBytes));
  const hand = createInHand(() => clock.monotonicMs());
  const streams = new Set<Stream>();
  const taking = createTaking(parts, hand);
  let incarnation: Buffer | undefined;
  let delayMs = Number.POSITIVE_INFINITY;
  let isStarved = false;
  let isLeaving = false;
  let wake: Timer | undefined;

  const working = () => [...streams].filter(({ isWelcome, isRetiring }) => isWelcome && !isRetiring);
  /** Questions go where least is waiting before them. */
  const quietest = () =>
    working().reduce<Stream | undefined>(
      (best, each) => (best === undefined || each.flight.roomBytes() > best.flight.roomBytes() ? each : best),
      undefined,
    );
  const ask = (): void => {
    const teller = quietest();
    if (teller !== undefined) for (const number of hand.untold()) teller.wire.send({ type: "withdrawal", number });
    for (let stream = teller; stream !== undefined; stream = quietest()) {
      const objects = hand.unasked(listedMax);
      if (objects.length === 0) return;
      stream.wire.send({ type: "offer", objects });
    }
  };
  const takeAndAsk = (): void => {
    if (isLeaving || quietest() === undefined) return;
    taking.take(ask);
  };
  const pumpAll = (): void => {
    for (const stream of streams) void pump(stream);
  };
  const pump = async (stream: Stream): Promise<void> => {
    if (stream.isPumping) return;
    stream.isPumping = true;
    try {
      for (let piece = nextOn(stream); piece !== undefined; piece = nextOn(stream)) await sendPiece(stream, piece);
    } catch (error) {
      stream.wire.destroy(asProblem(error, "sending on the link"));
    } finally {
      stream.isPumping = false;
    }
  };
  const nextOn = (stream: Stream): Piece | undefined => {
    if (!stream.isWelcome || stream.isRetiring || isLeaving || stream.flight.roomBytes() <= 0) return undefined;
    const waitMs = bandwidth.waitMs();
    const piece = waitMs > 0 ? undefined : (hand.next(stream.flight.pieceBytes()) ?? latePiece(stream));
    if (piece !== undefined) bandwidth.spend(piece.to - piece.from);
    else isStarved = true;
    if (waitMs > 0) pumpIn(waitMs);
    return piece;
  };
  /**
   * With nothing left to send, a stream that stands idle sends what another one has not brought over in time: the last of an object,
   * and an urgent one, should not wait for the one connection that lost a packet. The cloud drops what it has.
   */
  const latePiece = (idle: Stream): Piece | undefined => {
    if (hand.hasMore() || idle.flight.pieces().length > 0) return undefined;
    const late = [...streams].flatMap(({ flight }) => flight.lateness() ?? []);
    const latest = late.sort((one, other) => other.ms - one.ms)[0];
    return latest && hand.again(latest.takeAgain());
  };
  const sendPiece = async (stream: Stream, piece: Piece): Promise<void> => {
    const object = hand.get(piece.number);
    if (object === undefined) return;
    try {
      const bytes = await queue.read(object.id, piece.from, piece.to);
      if (bytes.length !== piece.to - piece.from) throw new Problem("damaged", "an object is shorter than it was said");
      if (!stream.wire.isOpen()) {
        // It broke meanwhile, and what it had was given to the others without this one.
        hand.lost([piece]);
        return pumpAll();
      }
      stream.flight.sent(piece);
      stream.wire.send({ type: "data", number: piece.number, from: piece.from, bytes });
    } catch (error) {
      giveUp(piece.number, asProblem(error, "reading an object that is to be sent"));
    }
  };
  const pumpIn = (ms: number): void => {
    if (wake !== undefined) return;
    wake = clock.after(ms, () => {
      wake = undefined;
      pumpAll();
    });
  };
  /** The queue has the object back, and the cloud is told. */
  const giveUp = (number: number, problem: Problem): void => {
    const object = hand.withdraw(number);
    if (object !== undefined) taking.giveBack(object.id, problem);
    ask();
  };
  const welcomed = (stream: Stream, frame: Extract<Frame, { type: "welcome" }>): void => {
    if (stream.isWelcome) throw outOfTurn();
    const met = Buffer.from(frame.incarnation);
    if (incarnation !== undefined && !incarnation.equals(met)) {
      // Another process answers: what the former knew of this session is gone, and its streams lead nowhere.
      for (const other of [...streams]) if (other !== stream && other.isWelcome) other.wire.destroy();
      hand.restart();
    }
    incarnation = met;
    stream.isWelcome = true;
    delayMs = Math.min(delayMs, clock.monotonicMs() - stream.joinedAt);
    hand.setWindow(Math.min(windowBytesMax, frame.windowBytes));
    taking.setPlaces(frame.objectsMax);
    ask();
    takeAndAsk();
    void pump(stream);
    changed("welcome");
  };
  const received = (stream: Stream, total: number): void => {
    const { bytes, pieces } = stream.flight.received(total);
    hand.landed(pieces);
    stream.bytesThisInterval += bytes;
    if (bytes > 0) changed("useful");
    if (stream.isRetiring && stream.flight.pieces().length === 0) stream.wire.end();
    else void pump(stream);
  };
  const goodbye = (stream: Stream, frame: Extract<Frame, { type: "goodbye" }>): void => {
    // The cloud brings to its end what it has, and closes.
    stream.isRetiring = true;
    parts.note(farewellProblem(frame.reason));
    changed("fewer");
  };
  const settled = (number: number, receipt: Uint8Array): void => {
    const object = hand.remove(number);
    if (object === undefined) return;
    taking.settle(object.id, receipt);
    takeAndAsk();
    if (hand.hasMore()) pumpAll();
  };
  const hear = (stream: Stream, frame: Frame): void => {
    if (!stream.isWelcome && !["welcome", "goodbye", "alive"].includes(frame.type)) throw outOfTurn();
    switch (frame.type) {
      case "welcome":
        welcomed(stream, frame);
        break;
      case "answer":
        for (const position of frame.positions) hand.answered(position);
        ask();
        pumpAll();
        break;
      case "taken":
        for (const position of frame.positions) hand.taken(position);
        pumpAll();
        break;
      case "received":
        received(stream, frame.bytes);
        break;
      case "receipt":
        settled(frame.number, frame.receipt);
        break;
      case "refusal":
        giveUp(frame.number, refusalProblem(frame.reason));
        break;
      case "withdrawal":
        hand.released(frame.number);
        ask();
        takeAndAsk();
        pumpAll();
        break;
      case "goodbye":
        goodbye(stream, frame);
        break;
      case "alive":
        break;
      default:
        throw outOfTurn();
    }
  };
  const gone = (stream: Stream, problem: Problem | undefined): void => {
    streams.delete(stream);
    hand.lost(stream.flight.pieces());
    hand.askAgain(clock.monotonicMs());
    if (problem !== undefined && !isLeaving) parts.note(problem);
    ask();
    pumpAll();
    changed(stream.isRetiring && problem === undefined ? "ended" : "fewer");
  };
  const sweep = (): void => {
    if (isLeaving) return;
    hand.askAgain(clock.monotonicMs() - askAgainAfterMs);
    ask();
    takeAndAsk();
    pumpAll();
    clock.after(sweepEveryMs, sweep);
  };
  const noMoreArrivals = queue.onArrival(() => {
    taking.mayHaveMore();
    takeAndAsk();
  });
  clock.after(sweepEveryMs, sweep);

  return {
    join(connection) {
      const stream: Stream = {
        wire: openWire(connection, clock, {
          frame: (frame) => hear(stream, frame),
          gone: (problem) => gone(stream, problem),
        }),
        flight: createFlight(() => clock.monotonicMs()),
        joinedAt: clock.monotonicMs(),
        ...{ isWelcome: false, isRetiring: false, isPumping: false, bytesThisInterval: 0, isSteady: false },
      };
      streams.add(stream);
      stream.wire.send({ type: "hello", version: protocolVersion, session: id });
    },
    streams: () => [...streams].filter(({ isRetiring }) => !isRetiring).length,
    retire(count) {
      const byUse = working().sort((one, other) => one.bytesThisInterval - other.bytesThisInterval);
      for (const stream of byUse.slice(0, count)) {
        stream.isRetiring = true;
        if (stream.flight.pieces().length === 0) stream.wire.end();
      }
    },
    interval() {
      const open = working();
      const found = {
        bytes: [...streams].reduce((sum, { bytesThisInterval }) => sum + bytesThisInterval, 0),
        streams: open.filter(({ isSteady }) => isSteady).length,
        streamsNow: open.length,
        isFull: !isStarved && open.length > 0,
      };
      for (const stream of streams) {
        stream.bytesThisInterval = 0;
        stream.isSteady = stream.isWelcome;
      }
      isStarved = false;
      pumpAll();
      return found;
    },
    isThrough: () => working().length > 0,
    objectsInHand: () => hand.size,
    delayMs: () => (Number.isFinite(delayMs) ? delayMs : 0),
    async leave() {
      isLeaving = true;
      noMoreArrivals();
      const until = clock.monotonicMs() + leaveMsMax;
      while (working().length > 0 && hand.outstandingBytes() > 0 && clock.monotonicMs() < until) await clock.sleep(20);
      for (const { wire } of streams) {
        wire.send({ type: "goodbye", reason: "leaving" });
        wire.end();
      }
      // Each is gone soon, also where the other end is silent.
      while (streams.size > 0) await clock.sleep(20);
      await taking.done();
    },
  };
}

/** What goes between the queue and the hand. */
interface Taking {
  setPlaces(objectsMax: number): void;
  mayHaveMore(): void;
  /** Takes what there is room for; `then` when something came. */
  take(then: () => void): void;
  settle(id: string, receipt: Uint8Array): void;
  giveBack(id: string, problem: Problem): void;
  /** When the queue has been told everything. */
  done(): Promise<void>;
}

function createTaking({ queue, log, note }: SendingParts, hand: InHand): Taking {
  const mayHave = new Set<Urgency>(urgencies);
  const telling = new Set<Promise<void>>();
  let places = 0;
  let isTaking = false;

  const takeAll = async (then: () => void): Promise<void> => {
    for (const urgency of urgencies) {
      while (mayHave.has(urgency)) {
        const room = Math.min(listedMax, Math.floor(places * shareOf[urgency]) - hand.places());
        if (room <= 0) break;
        mayHave.delete(urgency);
        const objects = await queue.take(urgency, room);
        if (objects.length === room) mayHave.add(urgency);
        hand.add(urgency, objects);
        if (objects.length > 0) then();
      }
    }
  };
  const tell = (work: Promise<void>): void => {
    const told = work
      .catch((error: unknown) => log.error("link: the queue could not be told of an object", {}, error))
      .finally(() => telling.delete(told));
    telling.add(told);
  };
  const refuse = async (id: string, problem: Problem): Promise<void> => {
    note(problem);
    await queue.refuse(id, problem);
  };
  const settle = async (id: string, receipt: Uint8Array): Promise<void> => {
    try {
      await queue.settle(id, receipt);
    } catch (error) {
      await refuse(id, asProblem(error, "settling an object"));
    }
  };
  return {
    setPlaces(objectsMax) {
      places = objectsMax;
    },
    mayHaveMore() {
      for (const urgency of urgencies) mayHave.add(urgency);
    },
    take(then) {
      if (isTaking) return;
      isTaking = true;
      takeAll(then)
        .catch((error: unknown) => {
          for (const urgency of urgencies) mayHave.add(urgency);
          note(asProblem(error, "taking objects from the queue"));
        })
        .finally(() => {
          isTaking = false;
        });
    },
    settle: (id, receipt) => tell(settle(id, receipt)),
    giveBack: (id, problem) => tell(refuse(id, problem)),
    async done() {
      await Promise.all(telling);
    },
  };
}
