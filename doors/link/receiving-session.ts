import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { asProblem, Problem } from "#base/problem";
import { type ArrivingObject, createArrivingObject } from "./arriving-object.ts";
import {
  type Frame,
  listedMax,
  type OfferedObject,
  type RefusalReason,
  receiptBytesMax,
  refusalReasons,
} from "./frames.ts";
import type { Arrivals, Standing } from "./incoming.ts";
import { outOfTurn } from "./refusals.ts";
import type { Room } from "./room.ts";
import type { Wire } from "./wire.ts";

export interface ReceivingParts {
  readonly arrivals: Arrivals;
  readonly clock: Clock;
  readonly log: Log;
  /** Told to the edge; names this state of this process, so that it notices when the state is gone. */
  readonly incarnation: Uint8Array;
  readonly room: Room;
  readonly windowBytes: number;
  readonly objectsMax: number;
  /** The edge took leave of all its streams. */
  readonly left: () => void;
}

/** The cloud's end of one session: what is on its way in over all its streams. It outlives each of them. */
export interface ReceivingSession {
  /** Welcomes a stream. */
  join(wire: Wire): { frame(frame: Frame): void; gone(): void };
  streams(): number;
  objects(): number;
  /** Bytes of objects that came since the beginning. */
  receivedBytes(): number;
  /** Takes nothing new and waits, so long at most, until what came is written. */
  drain(msMax: number): Promise<void>;
  /** Lets go of everything. Resolves when nothing is under way. */
  end(): Promise<void>;
}

/**
 * A place that an object has here, from its offer until its receipt is said, or until the edge has withdrawn it and nothing of it is under
 * way. First the archive is asked how it stands; then it arrives, or was refused.
 */
interface Entry {
  readonly offered: OfferedObject;
  arriving: ArrivingObject | undefined;
  /** Asked again it is refused again, and not begun anew. */
  refused: RefusalReason | undefined;
  isWithdrawn: boolean;
  /** What is being done; when that ends, a withdrawn object is gone. */
  underWay: Promise<void> | undefined;
}

const tellTakenAfterMs = 20;
const tellTakenBytes = 2 ** 20;

export function createReceivingSession(parts: ReceivingParts): ReceivingSession {
  const { arrivals, clock, log, room, windowBytes, objectsMax } = parts;
  const entries = new Map<number, Entry>();
  /** By id: what is under way. An object that is offered again under another number waits for its turn. */
  const turns = new Map<string, Promise<void>>();
  const wires = new Set<Wire>();
  const taken = createTakenNews(clock, (positions) => say({ type: "taken", positions }));
  let latest: Wire | undefined;
  let highest = 0;
  let receivedBytes = 0;
  let isOver = false;

  /** Over the stream that was heard last: it is the likeliest to be alive. What is lost with it is asked for again. */
  const say = (frame: Frame): void => {
    const wire = latest?.isOpen() ? latest : [...wires].find((each) => each.isOpen());
    wire?.send(frame);
  };
  const refuse = (entry: Entry, problem: Problem): void => {
    log.warn(`link: an object was not taken: ${problem.message}`, { code: problem.code }, problem);
    entry.refused = refusalReasons.find((each) => each === problem.code) ?? "fault";
    sayRefusal(entry);
  };
  const sayRefusal = ({ offered: { number }, refused = "fault" }: Entry): void =>
    say({ type: "refusal", number, reason: refused });
  const sayReceipt = (entry: Entry, receipt: Uint8Array): void => {
    const { number } = entry.offered;
    if (receipt.length > receiptBytesMax) refuse(entry, new Problem("fault", "a receipt is too long for the link"));
    else {
      entries.delete(number);
      say({ type: "receipt", number, receipt });
    }
  };
  /** A withdrawn object has its place until nothing of it is under way: only then the edge sends others instead. */
  const leaveIfDone = (entry: Entry): void => {
    if (!entry.isWithdrawn || entry.underWay !== undefined) return;
    const { number } = entry.offered;
    if (entries.get(number) === entry) entries.delete(number);
    say({ type: "withdrawal", number });
  };
  const work = (entry: Entry, done: Promise<void>): void => {
    const underWay: Promise<void> = done.then(() => {
      // Else something follows, which was begun meanwhile.
      if (entry.underWay !== underWay) return entry.underWay;
      entry.underWay = undefined;
      leaveIfDone(entry);
    });
    entry.underWay = underWay;
  };
  const drop = (entry: Entry): void => {
    entry.isWithdrawn = true;
    entry.arriving?.drop();
    taken.forget(entry.offered.number);
    leaveIfDone(entry);
  };
  const begin = (entry: Entry, from: number): ArrivingObject => {
    const { number } = entry.offered;
    const object = createArrivingObject(entry.offered, from, arrivals, room, {
      taken: (bytes) => taken.note({ number, at: object.takenTo() }, bytes),
      finished(outcome) {
        entry.arriving = undefined;
        taken.forget(number);
        if ("receipt" in outcome) sayReceipt(entry, outcome.receipt);
        else refuse(entry, outcome.problem);
      },
    });
    entry.arriving = object;
    work(entry, object.ended);
    return object;
  };
  const stands = (entry: Entry, standing: Standing): ArrivingObject | undefined => {
    if (entry.isWithdrawn || isOver) return undefined;
    if ("receipt" in standing) {
      sayReceipt(entry, standing.receipt);
      return undefined;
    }
    const object = begin(entry, Math.min(standing.from, entry.offered.length));
    if (object.takenTo() === entry.offered.length) object.go();
    return object;
  };
  /** Begins with those that are to come; says the receipts of those that are held. */
  const ask = async (entriesThen: readonly Entry[]): Promise<void> => {
    const asked = isOver ? [] : entriesThen.filter(({ isWithdrawn }) => !isWithdrawn);
    if (asked.length === 0) return;
    try {
      const standings = await arrivals.standing(asked.map((entry) => entry.offered));
      if (standings.length !== asked.length) throw new Problem("fault", "not every object has a standing");
      answer(asked.flatMap((entry, index) => stands(entry, standings[index] as Standing) ?? []));
    } catch (error) {
      const problem = asProblem(error, "looking for objects");
      for (const entry of asked) {
        const isUndecided = entry.arriving === undefined && entry.refused === undefined && !entry.isWithdrawn;
        if (isUndecided && entries.get(entry.offered.number) === entry) refuse(entry, problem);
      }
    }
  };
  /** All that are free are asked for at once; each of the others in its turn. */
  const askInTurn = (asked: readonly Entry[]): void => {
    const free: Entry[] = [];
    const asking = Promise.resolve().then(() => ask(free));
    for (const entry of asked) {
      const { id } = entry.offered;
      const former = turns.get(id);
      if (former === undefined) free.push(entry);
      work(entry, former?.then(() => ask([entry])) ?? asking);
      const turn = (entry.underWay ?? asking).then(() => {
        if (turns.get(id) === turn) turns.delete(id);
      });
      turns.set(id, turn);
    }
  };
  const offered = (offers: readonly OfferedObject[]): void => {
    const known = new Set(offers.flatMap(({ number }) => entries.get(number) ?? []));
    const news = new Map(offers.flatMap((each) => (entries.has(each.number) ? [] : [[each.number, each] as const])));
    if (entries.size + news.size > objectsMax) throw brokenRule("more objects at once than were allowed");
    for (const entry of known) {
      if (entry.refused !== undefined && !entry.isWithdrawn) sayRefusal(entry);
      // What was told of it may be lost: the window would stay as narrow as it seemed.
      if (entry.arriving !== undefined) taken.note({ number: entry.offered.number, at: entry.arriving.takenTo() }, 0);
    }
    answer([...known].flatMap(({ arriving, isWithdrawn }) => (isWithdrawn ? [] : (arriving ?? []))));
    const asked = [...news.values()].map(
      (each): Entry => ({
        ...{ offered: each, arriving: undefined, refused: undefined, isWithdrawn: false, underWay: undefined },
      }),
    );
    if (asked.length === 0) return;
    for (const entry of asked) {
      entries.set(entry.offered.number, entry);
      highest = Math.max(highest, entry.offered.number);
    }
    askInTurn(asked);
  };
  const answer = (found: readonly ArrivingObject[]): void => {
    const positions = found.map((object) => ({ number: object.offered.number, at: object.wantedFrom() }));
    for (let at = 0; at < positions.length; at += listedMax) {
      say({ type: "answer", positions: positions.slice(at, at + listedMax) });
    }
  };
  const data = ({ number, from, bytes }: Extract<Frame, { type: "data" }>): void => {
    receivedBytes += bytes.length;
    const entry = entries.get(number);
    if (entry === undefined && number > highest) throw outOfTurn();
    // Else it is of an object that is done with, or was refused or withdrawn while this was on its way.
    if (entry?.arriving === undefined || entry.isWithdrawn) return;
    if (from + bytes.length > entry.offered.length) throw brokenRule("bytes behind the end of an object");
    if (!entry.arriving.put(from, bytes)) {
      // With what else there is of it: an edge that lost count of the window has room again, and begins it anew.
      drop(entry);
      throw brokenRule("more bytes at once than were allowed");
    }
    entry.arriving.go();
  };
  const withdrawn = (number: number): void => {
    const entry = entries.get(number);
    if (entry === undefined) say({ type: "withdrawal", number });
    else if (!entry.isWithdrawn) drop(entry);
  };
  const end = async (): Promise<void> => {
    isOver = true;
    taken.stop();
    for (const wire of [...wires]) wire.destroy();
    const all = [...entries.values()];
    const underWay = all.map((entry) => entry.underWay);
    for (const entry of all) drop(entry);
    await Promise.all(underWay);
  };

  return {
    join(wire) {
      wires.add(wire);
      latest = wire;
      wire.send({ type: "welcome", incarnation: parts.incarnation, windowBytes, objectsMax });
      const received = createReceivedNews(wire);
      return {
        frame(frame) {
          latest = wire;
          switch (frame.type) {
            case "offer":
              return offered(frame.objects);
            case "data":
              data(frame);
              return received.note(frame.bytes.length);
            case "withdrawal":
              return withdrawn(frame.number);
            case "goodbye":
              return parts.left();
            case "alive":
              return;
            default:
              throw outOfTurn();
          }
        },
        gone: () => void wires.delete(wire),
      };
    },
    streams: () => wires.size,
    objects: () => [...entries.values()].filter(({ arriving }) => arriving !== undefined).length,
    receivedBytes: () => receivedBytes,
    async drain(msMax) {
      for (const wire of wires) wire.send({ type: "goodbye", reason: "leaving" });
      const until = clock.monotonicMs() + msMax;
      const isBusy = () => [...entries.values()].some(({ arriving }) => arriving?.isAtRest() === false);
      while (isBusy() && clock.monotonicMs() < until) await clock.sleep(20);
      // With the receipts that were said last.
      for (const wire of wires) wire.end();
      while (wires.size > 0) await clock.sleep(20);
    },
    end,
  };
}

interface TakenNews {
  note(position: { readonly number: number; readonly at: number }, bytes: number): void;
  forget(number: number): void;
  stop(): void;
}

/** Tells the edge in batches how far its objects are taken: that is what opens its window again. */
function createTakenNews(
  clock: Clock,
  tell: (positions: readonly { readonly number: number; readonly at: number }[]) => void,
): TakenNews {
  const news = new Map<number, number>();
  let untoldBytes = 0;
  let timer: Timer | undefined;
  const flush = (): void => {
    timer?.stop();
    timer = undefined;
    untoldBytes = 0;
    const positions = [...news].map(([number, at]) => ({ number, at }));
    news.clear();
    for (let at = 0; at < positions.length; at += listedMax) tell(positions.slice(at, at + listedMax));
  };
  return {
    note({ number, at }, bytes) {
      news.set(number, at);
      untoldBytes += bytes;
      if (untoldBytes >= tellTakenBytes) flush();
      else timer ??= clock.after(tellTakenAfterMs, flush);
    },
    forget: (number) => void news.delete(number),
    stop: () => timer?.stop(),
  };
}

/** Tells how many bytes came on a stream, once for all frames of a chunk. */
function createReceivedNews(wire: Wire): { note(bytes: number): void } {
  let total = 0;
  let isUntold = false;
  return {
    note(bytes) {
      total += bytes;
      if (isUntold) return;
      isUntold = true;
      queueMicrotask(() => {
        isUntold = false;
        wire.send({ type: "received", bytes: total });
      });
    },
  };
}

const brokenRule = (what: string) =>
  new Problem("invalid", `the device sent ${what}`, { remedy: "see that both ends run versions that fit each other" });
