import type { FastifyInstance } from "fastify";
import type { ApiEvent } from "#formats/api";
import type { Act, Actor } from "#trust/access";
import type { ApiParts } from "./parts.ts";
import { studyView } from "./studies.ts";

/** A proxy or a sleeping laptop drops a silent stream: a comment line keeps it alive. */
const heartbeatMs = 20_000;
/** A reader that does not take its events is cut off; it reconnects and asks again. */
const unsentBytesMax = 256 * 1024;

/** `GET /api/events`: what changes, as it changes (text/event-stream), to each what they may read. */
export function registerEvents(
  server: FastifyInstance,
  parts: ApiParts,
): {
  /** For somebody whose account is gone: at once, not at the next heartbeat. */
  readonly endStreamsOf: (actorId: string) => void;
} {
  const { archive, confirmations, devices, phantom, gate, policy, clock, signIn, log } = parts;
  const open = new Map<(event: ApiEvent) => void, Actor>();
  const tell = (act: Act, event: ApiEvent) => {
    for (const [send, actor] of open) if (policy.decide(actor, act).isAllowed) send(event);
  };
  /** Each watcher asks for itself, and is shown what it may see. */
  const tellOfStudy = async (studyToken: string) => {
    for (const [send, actor] of [...open]) {
      if (!policy.decide(actor, "study.watch").isAllowed) continue;
      const [study] = await archive.watchedStudies(actor, [studyToken]);
      if (study !== undefined) send({ type: "study", study: studyView(study) });
    }
  };
  const stopWatching = [
    archive.watch((studyToken) => {
      tellOfStudy(studyToken).catch((error) => log.warn("a watcher was not told of a changed study", {}, error));
    }),
    parts.breaker.watch(() => tell("status.read", { type: "stopped" })),
    phantom.watch((state) => tell("status.read", { type: "phantom", phantom: state })),
    devices.watchWaiting((waiting) => tell("device.read", { type: "waiting", waiting })),
    confirmations.watch((id) => tell("confirmation.read", { type: "confirmation", id })),
  ];
  const endings = new Map<() => void, Actor>();
  server.addHook("preClose", async () => {
    for (const stop of stopWatching) stop();
    for (const end of endings.keys()) end();
  });

  server.get("/api/events", async (request, reply) => {
    const secret = parts.sessionSecretOf(request);
    const actor = parts.actorOf(request);
    await gate.pass(actor, "session.watch", undefined, async () => {});
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...reply.getHeaders(),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
    } as Record<string, string>);
    raw.write(": open\n\n");
    const send = (event: ApiEvent) => {
      if (raw.writableLength > unsentBytesMax) return end();
      raw.write(`data: ${JSON.stringify(event)}\n\n`);
    };
    /** Also where a session that ended elsewhere ends its stream. */
    const beat = async () => {
      if (secret === undefined || (await signIn.sessionOf(secret, "watch")) === undefined) return end();
      raw.write(": still here\n\n");
      timer = clock.after(heartbeatMs, beatSafely);
    };
    const beatSafely = () => void beat().catch(end);
    let timer = clock.after(heartbeatMs, beatSafely);
    const end = () => {
      timer.stop();
      open.delete(send);
      endings.delete(end);
      raw.end();
    };
    open.set(send, actor);
    endings.set(end, actor);
    raw.on("close", end);
  });
  return {
    endStreamsOf(actorId) {
      for (const [end, { id }] of [...endings]) if (id === actorId) end();
    },
  };
}
