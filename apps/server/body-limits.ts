import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock, Timer } from "#base/clock";
import { Problem } from "#base/problem";
import type { Tally } from "./tally.ts";

/** For a body that is collected before its route runs: at most a megabyte. Streamed bodies have limits of their route. */
const bodyMsMax = 20_000;
/** For the rest of a body whose request was answered before it had come: its sender gets to read the answer. */
const passOverMsMax = 5_000;

/** Nobody holds a request open by sending its body slowly, or by going on with one that was refused. */
export function limitBodies(
  server: FastifyInstance,
  parts: { readonly clock: Clock; readonly tell: Tally; readonly viewOf: (problem: Problem) => object },
): void {
  const { clock, tell, viewOf } = parts;
  const timers = new WeakMap<FastifyRequest, Timer>();
  const refuseSlow = (request: FastifyRequest, reply: FastifyReply) => {
    tell("a body that came too slowly", { route: request.routeOptions.url ?? "none" });
    if (reply.sent) return;
    reply.hijack();
    const { raw } = reply;
    const headers = { ...reply.getHeaders(), "content-type": "application/json; charset=utf-8", connection: "close" };
    raw.writeHead(408, headers as Record<string, string>);
    const view = viewOf(new Problem("invalid", "the body came too slowly", { remedy: "send it again" }));
    raw.end(JSON.stringify(view), () => request.raw.destroy());
  };
  server.addHook("preParsing", (request, reply, payload, done) => {
    if (isComing(request.raw))
      timers.set(
        request,
        clock.after(bodyMsMax, () => refuseSlow(request, reply)),
      );
    done(null, payload);
  });
  server.addHook("preValidation", (request, _reply, done) => {
    timers.get(request)?.stop();
    done();
  });
  server.addHook("onResponse", async (request) => {
    timers.get(request)?.stop();
    const { raw } = request;
    if (!isComing(raw)) return;
    raw.resume();
    const timer = clock.after(passOverMsMax, () => raw.destroy());
    raw.once("close", () => timer.stop());
  });
}

function isComing({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers["content-length"] ?? headers["transfer-encoding"] ?? "0") !== "0";
}
