import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import cookie from "@fastify/cookie";
import { fastify } from "fastify";
import { systemClock } from "#base/clock";
import { newToken, systemRandom } from "#base/id";
import { type Log, silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { createOauth } from "#doors/oauth";
import { createMemoryAccessStore, createMemoryEntryStore } from "#stores/memory";
import {
  type Act,
  type Actor,
  anonymous,
  createGate,
  createGrants,
  createOauthClients,
  createOauthKeys,
  createOauthRecords,
  createPolicy,
  type NewOauthClient,
  operator,
  type Place,
  type Role,
  type StudyFacts,
} from "#trust/access";
import { createAuditLog } from "#trust/audit";
import { makeCertificates } from "../../apps/server/certificates.ts";
import { listenHttps, siteOf } from "../../apps/server/https.ts";
import { createSessions } from "../../trust/access/sessions.ts";

export const publicClient: Omit<NewOauthClient, "name"> = {
  proof: { kind: "none" },
  redirectUris: ["https://viewer.example/callback"],
  grants: [],
  isFapi: false,
  isFirstParty: false,
  byCode: false,
};

/** Not sealing: that the vault seals is shown by its own tests. */
const openBox = {
  seal: (_purpose: string, secret: Uint8Array) => secret,
  open: (_purpose: string, sealed: Uint8Array) => sealed,
};

export const patientToken = "11".repeat(16);
export const studyToken = "22".repeat(16);
const facts: StudyFacts = { facility: "", patient: patientToken, study: studyToken, order: "" };

export type OauthHouse = Awaited<ReturnType<typeof startOauthHouse>>;

/**
 * The provider behind a real TLS listener, with real sessions, grants, gate and log in memory. `/who/:act` answers what the token that
 * the request came with may do, on a study of one patient.
 */
export async function startOauthHouse(options: { readonly log?: Log } = {}) {
  const [clock, random, log] = [systemClock, systemRandom, options.log ?? silentLog];
  const store = createMemoryAccessStore();
  const audit = await createAuditLog({
    ...{ store: createMemoryEntryStore(), clock },
    signingSeed: new Uint8Array(32),
    origin: "leadglass.log/test",
  });
  const grants = await createGrants({ store, clock, random });
  const policy = createPolicy(grants);
  const gate = createGate({ policy, audit, clock });
  const sessions = await createSessions({ store, grants, box: openBox, random, clock });
  const clients = await createOauthClients({ store, grants, clock, random });
  const records = await createOauthRecords({ store, box: openBox, clock });
  const keys = createOauthKeys({ records, clock, random });
  let port = 0;
  const pageUrl = () => `https://localhost:${port}/`;
  const oauth = createOauth({
    ...{ clients, records, keys, gate, clock, random, log, pageUrl },
    isSessionLive: sessions.isLive,
    account: store.account,
    accountNamed: store.accountNamed,
    factsOf: async (token) => (token === studyToken ? facts : undefined),
  });

  const { ca, key, certificate } = await makeCertificates(["localhost"], clock, random);
  const server = fastify({ logger: false, routerOptions: { maxParamLength: 4_096 } });
  const actors = new WeakMap<object, Actor>();
  await server.register(cookie);
  server.addHook("onRequest", async (request, reply) => {
    const caller = await oauth.tokenActorOf(request);
    const session = sessions.of(request.cookies["__Host-leadglass"] ?? "");
    const actor = caller?.actor ?? session?.actor ?? (request.headers["x-operator"] === "1" ? operator : anonymous);
    actors.set(request, actor);
    if (actor.kind === "anonymous" && request.routeOptions.config.anonymous !== true) {
      return reply
        .status(401)
        .header("www-authenticate", caller?.challenge ?? "Bearer")
        .send({});
    }
  });
  server.setErrorHandler((error, _request, reply) => {
    const status = isProblem(error) ? { absent: 404, denied: 404, busy: 429, conflict: 409 }[error.code as "busy"] : 0;
    reply.status(status ?? 400).send({ message: (error as Error).message });
  });
  const actorOf = (request: object) => actors.get(request) ?? anonymous;
  server.all<{ Params: { act: string } }>("/who/:act", async (request) =>
    gate.pass(actorOf(request), request.params.act as Act, { kind: "study", id: studyToken, facts }, async (pass) => ({
      actor: pass.actor.id,
      reach: pass.reach,
    })),
  );
  const streams: Actor[] = [];
  server.get("/stream", async (request) => ({ at: streams.push(actorOf(request)) - 1 }));
  const sessionOf = (request: { cookies: Record<string, string | undefined> }) => {
    const held = sessions.of(request.cookies["__Host-leadglass"] ?? "");
    return held?.session;
  };
  await server.register(
    oauth.door({
      ...{ actorOf, sessionOf },
      endSession: sessions.end,
    }),
  );
  await server.ready();
  const tls = { key, cert: certificate };
  const site = siteOf(server, tls);
  const listener = await listenHttps({ host: "127.0.0.1", port: 0 }, { of: () => site, isShared: false }, tls, {
    clock,
    log,
  });
  port = listener.port;
  const folder = mkdtempSync(join(tmpdir(), "lg-"));
  writeFileSync(join(folder, "ca.pem"), ca);

  const person = async (name: string, role: Role = "radiologist", place: Place = { kind: "tenant" }) => {
    const id = newToken(random);
    const account = { id, name, createdAt: clock.now() };
    await store.addAccount({ passwordHash: "", totpSealed: new Uint8Array(), totpStep: 0, ...account }, [], []);
    await grants.give(`user:${id}`, { role, place, purpose: "treatment", endsAt: 0 }, operator);
    const { secret, session } = await sessions.begin(`user:${id}`, { userAgent: "", address: "" });
    return { id, name, secret, session };
  };
  return {
    ...{ clients, records, grants, sessions, store, audit, oauth, ca, person, pageUrl, streams },
    issuer: () => `${pageUrl()}oauth`,
    caFile: join(folder, "ca.pem"),
    add: (name: string, more: Partial<NewOauthClient> = {}) =>
      clients.add({ ...publicClient, ...more, name }, operator),
    async remove() {
      await server.close();
      await listener.close();
      await audit.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A key pair for a client: the public half as it is registered, the private one to sign with. */
export function clientKeys(kid = "one") {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" }, privateKey };
}
