import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { asProblem, Problem, type ProblemCode } from "#base/problem";
import { linkProtocols } from "#doors/link";
import { type Actor, actorOf, type Edge, type Edges, type Gate } from "#trust/access";
import type { LinkAuthorityKeeper } from "./link-authority.ts";

/** What a home does with connections of its edges. */
export interface Links {
  /** What they are shown; undefined where none was ever invited, and so none can come. */
  context(): SecureContext | undefined;
  /**
   * The edge at the other end of a connection: undefined when it is no edge's, or one that has no certificate yet. Problem `unproven`, saying
   * why, when what it shows does not count. Looked at once: a connection that was let in is cut off when its edge no longer is.
   */
  actorAt(socket: Socket): Promise<Actor | undefined>;
  /** Takes connections that speak the transfer protocol, each of an edge that was let in. Until then they are not offered it. */
  serveTransfers(handler: (socket: TLSSocket, edge: Edge) => void): void;
  takesTransfers(): boolean;
  /** Hands one over, or closes it. */
  take(socket: TLSSocket): void;
  close(): void;
}

/** What another process revoked is noticed within this; what this one did, at once. */
const lookEveryMs = 20_000;
/** Connections of one edge, those that are being let in too: twice the streams that the link takes, for who comes again before the former are gone. */
const socketsMax = 128;
/** When an edge was last seen is written at most this often. */
const touchEveryMs = 60_000;

interface Live {
  readonly socket: TLSSocket;
  readonly serial: string;
}

export function createLinks(parts: {
  readonly authority: LinkAuthorityKeeper;
  readonly edges: Edges;
  readonly gate: Pick<Gate, "pass">;
  readonly clock: Clock;
  readonly log: Log;
}): Links {
  const { authority, edges, gate, clock, log } = parts;
  const admitted = new WeakMap<Socket, Promise<Edge | undefined>>();
  const live = new Map<string, Set<Live>>();
  const touchedAt = new Map<string, number>();
  let transfers: ((socket: TLSSocket, edge: Edge) => void) | undefined;

  const touch = async (id: string): Promise<void> => {
    if ((touchedAt.get(id) ?? Number.NEGATIVE_INFINITY) > clock.monotonicMs() - touchEveryMs) return;
    touchedAt.set(id, clock.monotonicMs());
    await edges.touch(id);
  };
  /** Cuts off those of its connections that would not be let in now. */
  const look = async (id: string): Promise<void> => {
    const open = [...(live.get(id) ?? [])];
    for (const one of open) {
      const holds = await edges.admit(id, one.serial).catch((error) => {
        if (asProblem(error, "looking at an edge").code !== "unproven") throw error;
      });
      if (holds === undefined || isOver(one.socket, clock.now())) one.socket.destroy();
      else await touch(id);
    }
  };
  const lookInTime = (ids: Iterable<string>): Promise<unknown> =>
    Promise.all([...ids].map(look)).catch((error) => log.warn("connections of edges were not looked at", {}, error));
  const stopWatching = edges.watch((id) => void lookInTime([id]));
  let timer: Timer | undefined;
  const lookAgain = () => {
    timer = clock.after(lookEveryMs, () => void lookInTime(live.keys()).finally(() => timer && lookAgain()));
  };
  lookAgain();

  /** Counts it among its edge's from now on, until it is closed. */
  const count = (id: string, one: Live): void => {
    const known = live.get(id) ?? new Set();
    if (known.size >= socketsMax) throw tooMany();
    live.set(id, known.add(one));
    one.socket.once("close", () => {
      known.delete(one);
      if (known.size === 0) live.delete(id);
    });
  };
  const admit = async (socket: TLSSocket): Promise<Edge | undefined> => {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return undefined;
    const shown = authority.current()?.edgeOf(certificate);
    if (shown === undefined) throw notOurs();
    const { id, serial } = shown;
    // It has gone meanwhile, and nothing would tell of it again.
    if (socket.destroyed) return undefined;
    count(id, { socket, serial });
    const edge = await edges.admit(id, serial);
    await gate.pass(actorOf("edge", id), "edge.connect", { kind: "edge", id }, () => touch(id));
    return socket.destroyed ? undefined : edge;
  };
  const edgeAt = (socket: TLSSocket): Promise<Edge | undefined> => {
    const known = admitted.get(socket) ?? admit(socket);
    admitted.set(socket, known);
    return known;
  };

  return {
    context: () => authority.current()?.context,
    async actorAt(socket) {
      if (!(socket instanceof TLSSocket) || socket.alpnProtocol !== linkProtocols.calls) return undefined;
      const edge = await edgeAt(socket);
      return edge && actorOf("edge", edge.id, { isLive: () => !socket.destroyed });
    },
    serveTransfers(handler) {
      transfers = handler;
    },
    takesTransfers: () => transfers !== undefined,
    take(socket) {
      socket.on("error", () => socket.destroy());
      edgeAt(socket)
        .then((edge) => {
          if (edge === undefined || transfers === undefined || socket.destroyed) return void socket.destroy();
          transfers(socket, edge);
        })
        .catch((error) => {
          socket.destroy();
          if (!expected.has(asProblem(error, "letting an edge in").code)) log.warn("an edge was not let in", {}, error);
        });
    },
    close() {
      stopWatching();
      timer?.stop();
      timer = undefined;
      for (const { socket } of [...live.values()].flatMap((each) => [...each])) socket.destroy();
    },
  };
}

function isOver(socket: TLSSocket, now: number): boolean {
  const certificate = socket.getPeerX509Certificate();
  return certificate !== undefined && Date.parse(certificate.validTo) <= now;
}

/** What is the edge's own doing. */
const expected: ReadonlySet<ProblemCode> = new Set(["unproven", "busy"]);

function tooMany(): Problem {
  return new Problem("busy", "this edge has as many connections as it may have", {
    remedy: "nothing: it goes on with those that it has",
  });
}

function notOurs(): Problem {
  const remedy = "if its clock is right, make a new code in the cloud, and enrol this edge again with that";
  return new Problem("unproven", "this certificate was not issued here, or is out of its time", { remedy });
}
