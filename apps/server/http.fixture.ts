import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { type Log, silentLog } from "#base/log";
import type { WaysIn } from "#trust/access";
import { makeCertificates } from "./certificates.ts";
import { createFairQueue } from "./fair-queue.ts";
import { createHttp, type HttpParts } from "./http.ts";
import { listenHttps, siteOf } from "./https.ts";

const webRoot = join(fileURLToPath(import.meta.url), "..", "..", "web", "dist");

/** The HTTPS server with the pages, where they are built, on certificates of its own for localhost; the doors are the caller's. */
export async function createLocalHttp(
  { sessions, clientTokens }: Pick<WaysIn, "sessions" | "clientTokens">,
  tokenActorOf: HttpParts["tokenActorOf"] = async () => undefined,
) {
  const { ca, key, certificate } = await makeCertificates(["localhost"], systemClock, systemRandom);
  const http = await createHttp({
    ...{
      sessions,
      clientTokens,
      tokenActorOf,
      log: silentLog,
      random: systemRandom,
      clock: systemClock,
      ready: () => true,
    },
    queue: createFairQueue(systemClock),
    webRoot: existsSync(join(webRoot, "index.html")) ? webRoot : undefined,
  });
  return {
    http,
    ca,
    /** On a free port of this machine, once the doors are there. */
    async listen(log: Log = silentLog) {
      await http.server.ready();
      const tls = { key, cert: certificate };
      const links = { context: () => undefined, takesTransfers: () => false, take: () => {} };
      const site = siteOf(http.server, tls, links);
      return listenHttps({ host: "127.0.0.1", port: 0 }, { of: () => site, isShared: false }, tls, {
        clock: systemClock,
        log,
      });
    },
  };
}
