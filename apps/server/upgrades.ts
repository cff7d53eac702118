import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** A connection that its client wants to speak WebSocket on. */
export interface Upgrade {
  readonly socket: Duplex;
  /** What the client has sent already. */
  readonly head: Buffer;
}

/** Takes the connection of a request out of HTTP's hands, once; undefined for a request that asked for nothing of the kind. */
export type TakeUpgrade = (request: FastifyRequest, reply: FastifyReply) => Upgrade | undefined;

/**
 * Requests for another protocol (RFC 9110 §7.8) go the way of all others: through what refuses, limits and identifies, to their route. A
 * route that has no use for the connection answers, and it is closed with that.
 */
export function createUpgrades(server: FastifyInstance): TakeUpgrade {
  const asked = new WeakMap<IncomingMessage, Upgrade>();
  server.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    asked.set(request, { socket, head });
    // Nobody else listens for what breaks on it from here on.
    socket.on("error", () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Parameters<typeof response.assignSocket>[0]);
    // Nobody reads from it any more: that its client leaves would not be heard.
    response.once("finish", () => socket.end(() => socket.destroy()));
    server.routing(request, response);
  });
  return ({ raw }, reply) => {
    const upgrade = asked.get(raw);
    if (upgrade === undefined || !asked.delete(raw)) return undefined;
    reply.hijack();
    reply.raw.detachSocket(upgrade.socket as Parameters<typeof reply.raw.detachSocket>[0]);
    // Ends the request's turn: what follows on the connection is no work of it.
    reply.raw.emit("close");
    return upgrade;
  };
}
