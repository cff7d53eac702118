import type { Socket } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { FairQueue, Turn } from "./fair-queue.ts";

/** The turn that each request has in the queue of its caller. */
export interface RequestTurns {
  /** Takes a turn of that caller for this request, in place of the one that it has. Ends with the answer. */
  take(request: FastifyRequest, reply: FastifyReply, caller: string): Promise<void>;
}

export function createRequestTurns(queue: FairQueue): RequestTurns {
  const turns = new WeakMap<FastifyRequest, Turn>();
  const underWay = new WeakMap<Socket, Set<FastifyRequest>>();

  const end = (request: FastifyRequest) => {
    turns.get(request)?.end();
    underWay.get(request.raw.socket)?.delete(request);
  };
  /** An answer that waits behind another of its connection is not told when that connection closes. */
  const requestsOn = (socket: Socket) => {
    const known = underWay.get(socket);
    if (known !== undefined) return known;
    const requests = new Set<FastifyRequest>();
    underWay.set(socket, requests);
    socket.once("close", () => {
      for (const request of [...requests]) end(request);
    });
    return requests;
  };

  return {
    async take(request, reply, caller) {
      const { raw } = request;
      const former = turns.get(request);
      former?.end();
      // Bytes are moved while the answer is under way, or the body: that is the caller's speed, not our work.
      const turn = queue.enter(caller, () => reply.raw.headersSent || !raw.complete);
      turns.set(request, turn);
      if (former === undefined) {
        requestsOn(raw.socket).add(request);
        reply.raw.once("close", () => end(request));
      }
      if (raw.socket.destroyed) end(request);
      await turn.begun;
    },
  };
}
