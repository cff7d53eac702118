import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { asProblem, isProblem, Problem } from "#base/problem";
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
import type { Wire } from "./wire.ts";

export interface ReceivingParts {
  readonly arrivals: Arrivals;
  readonly clock: Clock;
  readonly log: Log;
  /** Told to the edge; names this state of this process, so that it notices when the state is gone. */
  readonly incarnation: Uint8Array;
  readonly windowBytes: number;
  readonly objectsMax: number;
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

/** The least that the sender cuts: with the window it bounds how many pieces can wait. */
const pieceBytesLeast = 16 * 1024;
const tellTakenAfterMs = 20;
const tellTakenBytes = 2 ** 20;

export function createReceivingSession(parts: ReceivingParts): ReceivingSession {
  const { arrivals, clock, log, windowBytes, objectsMax } = parts;
  const objects = new Map<number, ArrivingObject>();
  /** Offered, and the archive has not said yet how they stand. */
  const asked = new Set<number>();
  /** Why, until the edge withdraws them: asked again, they are refused again and not begun anew. */
  const refused = new Map<number, RefusalReason>();
  /** By id: what is still being let go of; an object is not asked for before. */
  const endings = new Map<string, Promise<void>>();
  const wires = new Set<Wire>();
  const taken = createTakenNews(clock, (positions) => say({ type: "taken", positions }));
  let latest: Wire | undefined;
  let highest = 0;
  let heldBytes = 0;
  let heldPieces = 0;
  let receivedBytes = 0;
  let isOver = false;

  /** Over the stream that was heard last: it is the likeliest to be alive. What is lost with it is asked for again. */
  const say = (frame: Frame): void => {
    const wire = latest?.isOpen() ? latest : [...wires].find((each) => each.isOpen());
    wire?.send(frame);
  };
  const refuse = (number: number, problem: Problem): void => {
    log.warn(`link: an object was not taken: ${problem.message}`, { code: problem.code }, problem);
    const reason = refusalReasons.find((each) => each === problem.code) ?? "fault";
    refused.set(number, reason);
    say({ type: "refusal", number, reason });
  };
  const sayReceipt = (number: number, receipt: Uint8Array): void => {
    if (receipt.length > receiptBytesMax) refuse(number, new Problem("fault", "a receipt is too long for the link"));
    else say({ type: "receipt", number, receipt });
  };
  const letGo = (number: number, object: ArrivingObject): void => {
    objects.delete(number);
    taken.forget(number);
    const { id } = object.offered;
    const ending = object.ended.then(() => {
      if (endings.get(id) === ending) endings.delete(id);
    });
    endings.set(id, ending);
  };
  const drop = (number: number): void => {
    asked.delete(number);
    const object = objects.get(number);
    if (object === undefined) return;
    letGo(number, object);
    const { bytes, pieces } = object.drop();
    heldBytes -= bytes;
    heldPieces -= pieces;
  };
  const begin = (offered: OfferedObject, from: number): ArrivingObject => {
    const { number } = offered;
    const object = createArrivingObject(offered, from, arrivals, {
      taken(bytes) {
        heldBytes -= bytes;
        heldPieces -= 1;
        taken.note({ number, at: object.takenTo() }, bytes);
      },
      finished(outcome) {
        drop(number);
        if ("receipt" in outcome) sayReceipt(number, outcome.receipt);
        else refuse(number, outcome.problem);
      },
    });
    objects.set(number, object);
    return object;
  };
  const standingOf = async (offers: readonly OfferedObject[]): Promise<readonly Standing[]> => {
    await Promise.all(offers.map(({ id }) => endings.get(id)));
    const standings = await arrivals.standing(offers);
    if (standings.length !== offers.length) throw new Problem("fault", "not every object has a standing");
    return standings;
  };
  const offered = async (offers: readonly OfferedObject[]): Promise<void> => {
    const known = offers.flatMap(({ number }) => objects.get(number) ?? []);
    const news = offers.filter(({ number }) => !objects.has(number) && !asked.has(number));
    if (objects.size + asked.size + news.length > objectsMax)
      throw brokenRule("more objects at once than were allowed");
    for (const { number } of news) {
      asked.add(number);
      highest = Math.max(highest, number);
    }
    answer(known);
    if (news.length === 0) return;
    try {
      const standings = await standingOf(news);
      answer(news.flatMap((each, index) => stands(each, standings[index] as Standing) ?? []));
    } catch (error) {
      for (const { number } of news) if (asked.delete(number)) refuse(number, asProblem(error, "looking for objects"));
    }
  };
  /** Begins with an object that is to come; says the receipt of one that is held. */
  const stands = (each: OfferedObject, standing: Standing): ArrivingObject | undefined => {
    if (!asked.delete(each.number) || isOver) return undefined;
    if ("receipt" in standing) {
      sayReceipt(each.number, standing.receipt);
      return undefined;
    }
    const object = begin(each, Math.min(standing.from, each.length));
    if (object.takenTo() === each.length) object.go();
    return object;
  };
  const answer = (found: readonly ArrivingObject[]): void => {
    const positions = found.map((object) => ({ number: object.offered.number, at: object.takenTo() }));
    for (let at = 0; at < positions.length; at += listedMax) {
      say({ type: "answer", positions: positions.slice(at, at + listedMax) });
    }
  };
  const data = ({ number, from, bytes }: Extract<Frame, { type: "data" }>): void => {
    receivedBytes += bytes.length;
    const object = objects.get(number);
    if (object === undefined) {
      // Of an object that is done with, or was refused while this was on its way.
      if (number > highest) throw outOfTurn();
      return;
    }
    if (from + bytes.length > object.offered.length) throw brokenRule("bytes behind the end of an object");
    const held = object.put(from, bytes);
    heldBytes += held;
    heldPieces += held > 0 ? 1 : 0;
    if (heldBytes > windowBytes || heldPieces > windowBytes / pieceBytesLeast + objectsMax) {
      throw brokenRule("more bytes at once than were allowed");
    }
    object.go();
  };
  const end = async (): Promise<void> => {
    isOver = true;
    taken.stop();
    for (const wire of [...wires]) wire.destroy();
    for (const number of [...objects.keys()]) drop(number);
    await Promise.all(endings.values());
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
              void offered(frame.objects).catch((error: unknown) => {
                wire.destroy(isProblem(error) ? error : undefined);
              });
              return;
            case "data":
              data(frame);
              return received.note(frame.bytes.length);
            case "withdrawal":
              refused.delete(frame.number);
              return drop(frame.number);
            case "goodbye":
              void end();
              return;
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
    objects: () => objects.size,
    receivedBytes: () => receivedBytes,
    async drain(msMax) {
      for (const wire of wires) wire.send({ type: "goodbye", reason: "leaving" });
      const until = clock.monotonicMs() + msMax;
      const isBusy = () => [...objects.values()].some((object) => !object.isAtRest());
      while (isBusy() && clock.monotonicMs() < until) await clock.sleep(20);
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
