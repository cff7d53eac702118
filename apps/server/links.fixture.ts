import { mkdtempSync } from "node:fs";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { createVirtualClock, systemClock, type VirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { createMemoryAccessStore } from "#stores/memory";
import { createEdges, type Edge, type Gate } from "#trust/access";
import { newSigningKey } from "#trust/parcels";
import { makeCertificates, makeRequest } from "./certificates.ts";
import { listenHttps } from "./https.ts";
import { type LinkAuthority, openLinkAuthority } from "./link-authority.ts";
import { createLinks } from "./links.ts";

export const plainSecrets = {
  seal: (_purpose: string, secret: Uint8Array) => Buffer.from(secret),
  open: (_purpose: string, sealed: Uint8Array) => Buffer.from(sealed),
};

/** An authority for edges in a folder of its own, by that clock. */
export async function newLinkAuthority(
  clock: VirtualClock = createVirtualClock(systemClock.now()),
): Promise<LinkAuthority> {
  const folder = mkdtempSync(join(tmpdir(), "lg-link-"));
  const keeper = await openLinkAuthority({ folder }, { vault: { secrets: plainSecrets }, clock, random: systemRandom });
  return keeper.orMake();
}

/** A key with a certificate for it, PEM, as an edge keeps them. */
export async function certified(authority: LinkAuthority, id: string) {
  const { key, request } = await makeRequest("edge");
  return { key, ...(await authority.issue(request, id)) };
}

/** A gate that notes what it lets through: all. */
export const letThrough = (acts: string[]): Pick<Gate, "pass"> => ({
  async pass(actor, act, _on, work) {
    acts.push(act);
    return work({ actor, act, reach: [], sees: "whole" });
  },
});

/** A listener of a home that edges come to, over stores in memory; `clock` is what its links go by. */
export async function startLinks(answer: RequestListener = (_request, response) => response.end("a page")) {
  const clock = createVirtualClock(systemClock.now());
  const authority = await newLinkAuthority(clock);
  const store = createMemoryAccessStore();
  const edges = createEdges({ store, clock, random: systemRandom });
  const acts: string[] = [];
  const links = createLinks({
    authority: { current: () => authority, orMake: async () => authority },
    edges,
    gate: letThrough(acts),
    clock,
    log: silentLog,
  });
  const { ca, certificate, key } = await makeCertificates(["localhost"], systemClock, systemRandom);
  const site = {
    answer,
    takesUpgrades: () => false,
    upgrade: () => {},
    certificate: createSecureContext({ key, cert: certificate, ca: certificate }),
    links,
  };
  const listener = await listenHttps(
    { host: "127.0.0.1", port: 0 },
    { of: () => site, isShared: false },
    { key, cert: certificate },
    { clock: systemClock, log: silentLog },
  );
  return {
    ...{ authority, store, edges, links, acts, clock, ca },
    cloud: { host: "localhost", port: listener.port },
    /** One that was invited and enrolled. */
    async enrolled(): Promise<{ edge: Edge; own: Awaited<ReturnType<typeof certified>> }> {
      const { secret } = await edges.invite(`box ${(await edges.list()).length}`, "");
      const invited = await edges.invited(secret, "here");
      const own = await certified(authority, invited.id);
      await edges.enrol(invited, { software: "1", signingKey: newSigningKey().publicKey, issue: async () => own });
      return { edge: await edges.named(invited.id), own };
    },
    async close() {
      links.close();
      await listener.close();
    },
  };
}
