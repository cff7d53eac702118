// Both ends of the link over connections in memory, on a clock that a test moves.
import { createHash } from "node:crypto";
import { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { createVirtualClock, type VirtualClock } from "#base/clock";
import { newToken, type Random, seededRandom } from "#base/id";
import { createLog, type LogSink } from "#base/log";
import { Problem } from "#base/problem";
import type { Arrivals, IncomingObject } from "./incoming.ts";
import type { OutgoingObject, OutgoingQueue, Urgency } from "./outgoing.ts";
import { createLinkReceiver, type LinkReceiver } from "./receiver.ts";
import { type LinkSender, type LinkSenderParts, startLinkSender } from "./sender.ts";

export const hashOf = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();
/** What stands for the archive's signature. */
export const receiptOf = (object: IncomingObject): Uint8Array => Buffer.concat([Buffer.from("held "), object.sha256]);

export interface MemoryQueue extends OutgoingQueue {
  add(urgency: Urgency, bytes: Uint8Array): OutgoingObject;
  readonly waiting: ReadonlyMap<string, { readonly object: OutgoingObject; readonly bytes: Uint8Array }>;
  /** Ids in the order in which their receipts came. */
  readonly settled: readonly string[];
  readonly refused: readonly { readonly id: string; readonly problem: Problem }[];
  /** Bytes that were read, for what is sent twice. */
  readBytes(): number;
  /** What was refused may be taken again. */
  giveAgain(id: string): void;
  /** What a restart of the edge does. */
  giveAllAgain(): void;
}

interface Waiting {
  readonly urgency: Urgency;
  readonly object: OutgoingObject;
  readonly bytes: Uint8Array;
  state: "waiting" | "taken" | "refused";
}

export function createMemoryQueue(random: Random): MemoryQueue {
  const waiting = new Map<string, Waiting>();
  const settled: string[] = [];
  const refused: { id: string; problem: Problem }[] = [];
  const listeners = new Set<() => void>();
  let read = 0;
  const held = (id: string) => {
    const found = waiting.get(id);
    if (found === undefined) throw new Problem("absent", "the queue has no such object");
    return found;
  };
  return {
    add(urgency, bytes) {
      const object = { id: newToken(random), length: bytes.length, sha256: hashOf(bytes) };
      waiting.set(object.id, { urgency, object, bytes, state: "waiting" });
      for (const listener of listeners) listener();
      return object;
    },
    waiting,
    settled,
    refused,
    readBytes: () => read,
    giveAgain(id) {
      const found = waiting.get(id);
      if (found?.state !== "refused") return;
      found.state = "waiting";
      for (const listener of listeners) listener();
    },
    giveAllAgain() {
      for (const each of waiting.values()) each.state = "waiting";
    },
    async take(urgency, most) {
      const found = [...waiting.values()]
        .filter((each) => each.urgency === urgency && each.state === "waiting")
        .slice(0, most);
      for (const each of found) each.state = "taken";
      return found.map(({ object }) => object);
    },
    async read(id, from, to) {
      read += to - from;
      return held(id).bytes.subarray(from, to);
    },
    async settle(id, receipt) {
      const { object } = held(id);
      if (!Buffer.from(receipt).equals(receiptOf(object))) throw new Problem("damaged", "a receipt is not the cloud's");
      waiting.delete(id);
      settled.push(id);
    },
    async refuse(id, problem) {
      refused.push({ id, problem });
      const found = waiting.get(id);
      if (found !== undefined) found.state = "refused";
    },
    onArrival(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export interface MemoryArrivals extends Arrivals {
  /** Whole objects by id. */
  readonly held: ReadonlyMap<string, Uint8Array>;
  /** Ids in the order in which they were finished: an id that is there twice was stored twice. */
  readonly finished: readonly string[];
  /** Ids in the order in which their first bytes came. */
  readonly begun: readonly string[];
  /** How many objects are open. */
  openObjects(): number;
  /** The next call of this kind rejects with `problem`, having changed nothing. */
  failNext(call: "standing" | "open" | "write" | "finish", problem: Problem): void;
  /** What a crash of the cloud leaves: whole objects, and of others what `durableEvery` bytes made durable. */
  crash(): void;
}

/** `pause` is what each call waits for. */
export function createMemoryArrivals(pause: () => Promise<unknown>, durableEvery = 4096): MemoryArrivals {
  const held = new Map<string, Uint8Array>();
  const receipts = new Map<string, Uint8Array>();
  const parts = new Map<string, Uint8Array>();
  const finished: string[] = [];
  const begun: string[] = [];
  const open = new Set<string>();
  const failures = new Map<string, Problem>();
  const pauseOrFail = async (call: string): Promise<void> => {
    await pause();
    const problem = failures.get(call);
    failures.delete(call);
    if (problem !== undefined) throw problem;
  };
  let life = 0;
  return {
    held,
    finished,
    begun,
    openObjects: () => open.size,
    failNext: (call, problem) => void failures.set(call, problem),
    crash() {
      life += 1;
      open.clear();
      for (const [id, bytes] of parts) {
        parts.set(id, bytes.subarray(0, bytes.length - (bytes.length % durableEvery)));
      }
    },
    async standing(objects) {
      await pauseOrFail("standing");
      return objects.map(({ id }) => {
        const receipt = receipts.get(id);
        return receipt === undefined ? { from: parts.get(id)?.length ?? 0 } : { receipt };
      });
    },
    async open(object, from) {
      const bornIn = life;
      const alive = () => {
        if (life !== bornIn) throw new Problem("fault", "this was open before the crash");
      };
      await pauseOrFail("open");
      alive();
      const { id, length, sha256 } = object;
      if (open.has(id)) throw new Problem("conflict", "the object is open already");
      if ((parts.get(id)?.length ?? 0) !== from || receipts.has(id))
        throw new Problem("conflict", "not where it stood");
      open.add(id);
      begun.push(id);
      return {
        async write(at, bytes) {
          await pauseOrFail("write");
          alive();
          const before = parts.get(id) ?? new Uint8Array(0);
          if (before.length !== at) throw new Problem("fault", `bytes at ${at} where ${before.length} were next`);
          parts.set(id, Buffer.concat([before, bytes]));
        },
        async finish() {
          await pauseOrFail("finish");
          alive();
          const bytes = parts.get(id) ?? new Uint8Array(0);
          parts.delete(id);
          open.delete(id);
          if (bytes.length !== length || !Buffer.from(hashOf(bytes)).equals(sha256)) {
            throw new Problem("damaged", "the bytes do not fit their hash");
          }
          held.set(id, bytes);
          receipts.set(id, receiptOf(object));
          finished.push(id);
          return receiptOf(object);
        },
        async abandon() {
          await pause();
          if (life === bornIn) open.delete(id);
        },
      };
    },
  };
}

/** A connection in memory that takes its time, and can break at any byte. */
export interface Cable {
  readonly edge: Duplex;
  readonly cloud: Duplex;
  /** Breaks now: of what is on its way in each direction, a part still arrives. `quietly`: neither end is told. */
  cut(share: number, quietly?: boolean): void;
  isWhole(): boolean;
}

export interface Path {
  readonly delayMs: number;
  readonly bytesPerMs: number;
}

export function createCable(clock: VirtualClock, { delayMs, bytesPerMs }: Path): Cable {
  const onTheWay: { readonly to: () => Duplex; readonly bytes: Uint8Array }[] = [];
  let isWhole = true;
  const end = (other: () => Duplex): Duplex => {
    let freeAt = 0;
    const deliver = (bytes: Uint8Array | null, done: () => void): void => {
      const now = clock.monotonicMs();
      freeAt = Math.max(now, freeAt) + (bytes?.length ?? 0) / bytesPerMs;
      const sent = { to: other, bytes: bytes ?? new Uint8Array(0) };
      clock.after(freeAt - now, done);
      if (!isWhole) return; // into the void
      onTheWay.push(sent);
      clock.after(freeAt - now + delayMs, () => {
        const at = onTheWay.indexOf(sent);
        if (at < 0) return;
        onTheWay.splice(at, 1);
        if (!other().destroyed) other().push(bytes);
      });
    };
    return new Duplex({
      read() {},
      write: (chunk: Uint8Array, _encoding, done) => deliver(chunk, () => done()),
      final: (done) => deliver(null, () => done()),
      destroy(error, done) {
        done(error);
        if (isWhole) clock.after(delayMs, () => other().destroy());
      },
    });
  };
  const edge: Duplex = end(() => cloud);
  const cloud: Duplex = end(() => edge);
  return {
    edge,
    cloud,
    isWhole: () => isWhole && !edge.destroyed && !cloud.destroyed,
    cut(share, quietly = false) {
      isWhole = false;
      for (const way of [edge, cloud]) {
        const first = onTheWay.find(({ to }) => to() === way);
        if (first !== undefined && !way.destroyed) way.push(first.bytes.subarray(0, first.bytes.length * share));
      }
      onTheWay.length = 0;
      if (quietly) return;
      const broken = () => new Error("the cable was cut");
      setImmediate(() => {
        edge.destroy(broken());
        cloud.destroy(broken());
      });
    },
  };
}

export interface LinkInMemory {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly queue: MemoryQueue;
  readonly arrivals: MemoryArrivals;
  readonly cables: readonly Cable[];
  /** When the edge dialled. */
  readonly dialledAt: readonly number[];
  sender(): LinkSender;
  receiver(): LinkReceiver;
  /** The edge's process ends without a word, and another begins. */
  restartEdge(): void;
  /** The same of the cloud's. */
  restartCloud(): void;
  /** The edge's process takes leave before another begins. */
  closeEdge(): Promise<void>;
  /** From now on nobody can dial. */
  setOutage(isOut: boolean): void;
  /** Moves the clock in steps until it is so, for so long at most. */
  until(is: () => boolean, msMax: number, each?: () => void): Promise<void>;
}

/** What a process has that can end: what it asks for afterwards is asked by nobody, and what it says is said to nobody. */
function mortal<T extends object>(of: T, sink: LogSink): { readonly live: T; readonly sink: LogSink; die(): void } {
  let isDead = false;
  const live = new Proxy(of, {
    get(target, name, receiver) {
      const found: unknown = Reflect.get(target, name, receiver);
      if (typeof found !== "function") return found;
      return (...words: unknown[]): unknown => (isDead ? new Promise(() => {}) : Reflect.apply(found, target, words));
    },
  });
  return {
    live,
    sink: (line) => void (isDead || sink(line)),
    die() {
      isDead = true;
    },
  };
}

export interface LinkOptions {
  readonly path?: Path;
  readonly sender?: Partial<LinkSenderParts>;
  readonly windowBytes?: number;
  /** How long each call of the archive takes at most; 4 ms when it is not said. */
  readonly archiveMsMax?: number;
  /** Lines of both ends' logs. */
  readonly sink?: LogSink;
}

export function linkInMemory(seed: number, options: LinkOptions = {}): LinkInMemory {
  const { path = { delayMs: 10, bytesPerMs: 500 }, archiveMsMax = 4, sink = () => {} } = options;
  const clock = createVirtualClock();
  const random = seededRandom(seed);
  const queue = createMemoryQueue(random);
  const arrivals = createMemoryArrivals(() => clock.sleep((random(new Uint8Array(1))[0]! * archiveMsMax) / 256));
  const cables: Cable[] = [];
  const dialledAt: number[] = [];
  let isOut = false;
  let receiver: LinkReceiver;
  let sender: LinkSender;
  let cloud = mortal(arrivals, sink);
  let edge = mortal(queue, sink);
  const startCloud = () => {
    cloud = mortal(arrivals, sink);
    receiver = createLinkReceiver({
      ...{ clock, random, log: createLog({ sink: cloud.sink, clock }) },
      ...(options.windowBytes !== undefined && { windowBytes: options.windowBytes }),
    });
  };
  const startEdge = () => {
    edge = mortal(queue, sink);
    queue.giveAllAgain();
    const dial = async () => {
      dialledAt.push(clock.monotonicMs());
      if (isOut) throw new Problem("unavailable", "the cloud cannot be reached");
      const cable = createCable(clock, path);
      cables.push(cable);
      receiver.accept(cable.cloud, { edge: "edge-1", arrivals: cloud.live });
      return cable.edge;
    };
    const log = createLog({ sink: edge.sink, clock });
    sender = startLinkSender({ queue: edge.live, dial, clock, random, log, ...options.sender });
  };
  startCloud();
  startEdge();
  return {
    ...{ clock, random, queue, arrivals, cables, dialledAt },
    sender: () => sender,
    receiver: () => receiver,
    restartEdge() {
      edge.die();
      void sender.close();
      for (const cable of cables.splice(0)) cable.cut(0);
      startEdge();
    },
    async closeEdge() {
      await sender.close();
      edge.die();
      startEdge();
    },
    restartCloud() {
      cloud.die();
      void receiver.close();
      for (const cable of cables.splice(0)) cable.cut(0);
      arrivals.crash();
      startCloud();
    },
    setOutage(out) {
      isOut = out;
    },
    async until(is, msMax, each) {
      const end = clock.monotonicMs() + msMax;
      while (!is()) {
        if (clock.monotonicMs() > end) throw new Error(`not within ${msMax} ms of the clock`);
        // Nothing goes on while no connection is whole but waiting for the next.
        clock.advance(cables.some((cable) => cable.isWhole()) ? 5 : 50);
        each?.();
        await turn();
      }
    },
  };
}

/** So much time passes, and what happens in it has happened. */
export async function turnsOf(clock: VirtualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5) {
    clock.advance(5);
    await turn();
  }
  await turn();
}
