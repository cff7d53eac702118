import type { FastifyInstance } from "fastify";
import type { ApiEvent } from "#formats/api";
import type { ApiParts } from "./parts.ts";
import { studyView } from "./studies.ts";

/** A proxy or a sleeping laptop drops a silent stream: a comment line keeps it alive. */
const heartbeatMs = 20_000;
/** A reader that does not take its events is cut off; it reconnects and asks again. */
const unsentBytesMax = 256 * 1024;

/** `GET /api/events`: what changes, as it changes (text/event-stream). */
export function registerEvents(server: FastifyInstance, parts: ApiParts): void {
  const { archive, devices, phantom, gate, clock, signIn } = parts;
  const open = new Set<(event: ApiEvent) => void>();
  const tell = (event: ApiEvent) => {
    for (const send of open) send(event);
  };
  const stopWatching = [
    archive.watch((study) => tell({ type: "study", study: studyView(study) })),
    phantom.watch((state) => tell({ type: "phantom", phantom: state })),
    devices.watchWaiting((waiting) => tell({ type: "waiting", waiting })),
  ];
  const endings = new Set<() => void>();
  server.addHook("preClose", async () => {
    for (const stop of stopWatching) stop();
    for (const end of endings) end();
  });

  server.get("/api/events", async (request, reply) => {
    const secret = parts.sessionSecretOf(request);
    await gate.pass(parts.actorOf(request), "study.watch", undefined, async () => {});
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
    open.add(send);
    endings.add(end);
    raw.on("close", end);
  });
}
