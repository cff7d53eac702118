import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import type { SignIn } from "#trust/access";
import { makeCertificates } from "./certificates.ts";
import { createHttp } from "./http.ts";

/** The HTTPS server with the pages, on certificates of its own for localhost; the doors and the port are the caller's. */
export async function createLocalHttp(signIn: SignIn) {
  const { ca, key, certificate } = await makeCertificates(["localhost"], systemClock, systemRandom);
  const http = await createHttp({
    ...{ signIn, log: silentLog, random: systemRandom, ready: () => true },
    tls: { key, cert: certificate },
    webRoot: join(fileURLToPath(import.meta.url), "..", "..", "web", "dist"),
  });
  return { http, ca };
}
