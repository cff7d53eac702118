import type { FastifyReply, FastifyRequest } from "fastify";
import type { FairQueue, Turn } from "./fair-queue.ts";

/** The turn that each request has in the queue of its caller. */
export interface RequestTurns {
  /** Takes a turn of that caller for this request, in place of the one that it has. Ends with the answer. */
  take(request: FastifyRequest, reply: FastifyReply, caller: string): Promise<void>;
}

export function createRequestTurns(queue: FairQueue): RequestTurns {
  const turns = new WeakMap<FastifyRequest, Turn>();
  return {
    async take(request, reply, caller) {
      const former = turns.get(request);
      former?.end();
      // Bytes are moved while the answer is under way, or the body: that is the caller's speed, not our work.
      const turn = queue.enter(caller, () => reply.raw.headersSent || !request.raw.complete);
      turns.set(request, turn);
      if (former === undefined) reply.raw.once("close", () => turns.get(request)?.end());
      await turn.begun;
    },
  };
}
