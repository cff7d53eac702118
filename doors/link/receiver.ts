import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import type { Arrivals } from "./incoming.ts";
import { createReceivingEdge, type ReceivingEdge } from "./receiving-edge.ts";
import type { Connection } from "./wire.ts";

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
  /** In memory, until the archive has taken it. */
  readonly heldBytes: number;
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

/** The cloud's end of the link, for all edges. An edge has one session; the next one ends it. */
export function createLinkReceiver(parts: LinkReceiverParts): LinkReceiver {
  const { windowBytes = windowBytesUsual } = parts;
  const open = new Map<string, ReceivingEdge>();
  let isClosed = false;

  const edgeNamed = (edge: string): ReceivingEdge => {
    const found = open.get(edge);
    if (found !== undefined) return found;
    const made = createReceivingEdge({ ...parts, windowBytes, idle: () => void open.delete(edge) });
    open.set(edge, made);
    return made;
  };

  return {
    accept(connection, { edge, arrivals }) {
      if (isClosed) return void connection.destroy();
      edgeNamed(edge).accept(connection, arrivals);
    },
    edges: () =>
      [...open].map(([edge, each]) => ({
        edge,
        streams: each.streams(),
        objectsOnTheWay: each.objects(),
        receivedBytes: each.receivedBytes(),
        heldBytes: each.heldBytes(),
      })),
    async cut(edge) {
      await open.get(edge)?.end();
    },
    async close() {
      isClosed = true;
      await Promise.all([...open.values()].map((each) => each.close()));
    },
  };
}
