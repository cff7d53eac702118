import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { asProblem, Problem } from "#base/problem";
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

  const admit = async (socket: TLSSocket): Promise<Edge | undefined> => {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return undefined;
    const shown = authority.current()?.edgeOf(certificate);
    if (shown === undefined) throw notOurs();
    const { id, serial } = shown;
    const edge = await edges.admit(id, serial);
    await gate.pass(actorOf("edge", id), "edge.connect", { kind: "edge", id }, () => touch(id));
    // It has gone meanwhile, and nothing would tell of it again.
    if (socket.destroyed) return undefined;
    const one = { socket, serial };
    live.set(id, (live.get(id) ?? new Set()).add(one));
    socket.once("close", () => {
      const left = live.get(id);
      left?.delete(one);
      if (left?.size === 0) live.delete(id);
    });
    // Revoked meanwhile, when nobody knew yet that it is here.
    await look(id);
    return edge;
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
          if (asProblem(error, "letting an edge in").code !== "unproven") log.warn("an edge was not let in", {}, error);
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

function notOurs(): Problem {
  const remedy = "if its clock is right, make a new code in the cloud, and enrol this edge again with that";
  return new Problem("unproven", "this certificate was not issued here, or is out of its time", { remedy });
}
