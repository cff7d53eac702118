import type { FastifyInstance } from "fastify";
import type { ApiEvent } from "#formats/api";
import type { Act, Actor } from "#trust/access";
import type { ApiParts } from "./parts.ts";
import { studyView } from "./studies.ts";

/** A proxy or a sleeping laptop drops a silent stream: a comment line keeps it alive. */
const heartbeatMs = 20_000;
/** A reader that does not take its events is cut off; it reconnects and asks again. */
const unsentBytesMax = 256 * 1024;

/** One open stream. */
interface Watcher {
  readonly actor: Actor;
  send(event: ApiEvent): void;
  end(): void;
}

/** `GET /api/events`: what changes, as it changes (text/event-stream), to each what they may read. */
export function registerEvents(
  server: FastifyInstance,
  parts: ApiParts,
): {
  /** For somebody whose account is gone: at once, not at the next heartbeat. */
  readonly endStreamsOf: (actorId: string) => void;
} {
  const { archive, confirmations, devices, phantom, gate, grants, policy, recovery, clock, sessions, log } = parts;
  const watchers = new Set<Watcher>();
  const may = ({ actor }: Watcher, act: Act) => policy.decide(actor, act).isAllowed;
  /** Who may not watch any more is ended before it hears of anything. */
  const living = () => {
    for (const watcher of [...watchers]) if (!may(watcher, "session.watch")) watcher.end();
    return [...watchers];
  };
  const tell = (act: Act, event: ApiEvent) => {
    for (const watcher of living()) if (may(watcher, act)) watcher.send(event);
  };
  /** Each watcher asks for itself, and is shown what it may see. */
  const tellOfStudy = async (watcher: Watcher, studyToken: string) => {
    const [study] = await archive.watchedStudies(watcher.actor, [studyToken]);
    if (study !== undefined && may(watcher, "study.watch")) watcher.send({ type: "study", study: studyView(study) });
  };
  const stopWatching = [
    archive.watch((studyToken) => {
      for (const watcher of living()) {
        if (!may(watcher, "study.watch")) continue;
        tellOfStudy(watcher, studyToken).catch((error) =>
          log.warn("a watcher was not told of a changed study", {}, error),
        );
      }
    }),
    grants.watchEnded((holder) => {
      for (const watcher of living()) if (watcher.actor.id === holder) watcher.send({ type: "access" });
    }),
    sessions.watchEnded(() => void living()),
    recovery.watch(() => tell("account.read", { type: "recovered" })),
    parts.breaker.watch(() => tell("status.read", { type: "stopped" })),
    phantom.watch((state) => tell("status.read", { type: "phantom", phantom: state })),
    parts.edges.watch((id) => tell("edge.read", { type: "edge", id })),
    devices.watchWaiting((waiting) => tell("device.read", { type: "waiting", waiting })),
    parts.reviews.watch(({ kind }) => tell("review.read", { type: "alarm", kind })),
    confirmations.watch((id) => tell("confirmation.read", { type: "confirmation", id })),
  ];
  server.addHook("preClose", async () => {
    for (const stop of stopWatching) stop();
    for (const { end } of [...watchers]) end();
  });

  server.get("/api/events", { config: { unattended: true } }, async (request, reply) => {
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
    /** Also where a session that ended by time ends its stream. */
    const beat = () => {
      if (!may(watcher, "session.watch")) return end();
      raw.write(": still here\n\n");
      timer = clock.after(heartbeatMs, beat);
    };
    let timer = clock.after(heartbeatMs, beat);
    const end = () => {
      timer.stop();
      watchers.delete(watcher);
      raw.end();
    };
    const watcher = { actor, send, end };
    watchers.add(watcher);
    raw.on("close", end);
  });
  return {
    endStreamsOf(actorId) {
      for (const { actor, end } of [...watchers]) if (actor.id === actorId) end();
    },
  };
}
