import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { newToken, systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { createApiDoor } from "#doors/api";
import { createOauth } from "#doors/oauth";
import { createMemoryAccessStore, createMemoryEntryStore } from "#stores/memory";
import {
  type Act,
  type Actor,
  createDevices,
  createGate,
  createGrants,
  createOauthClients,
  createOauthKeys,
  createOauthRecords,
  createPeople,
  createPolicy,
  createWaysIn,
  type NewOauthClient,
  operator,
  type Place,
  type Role,
  type StudyFacts,
} from "#trust/access";
import { createAuditLog } from "#trust/audit";
import { createLocalHttp } from "../../apps/server/http.fixture.ts";
import { openBox } from "../../trust/access/confirmations.fixture.ts";

export const publicClient: Omit<NewOauthClient, "name"> = {
  proof: { kind: "none" },
  redirectUris: ["https://viewer.example/callback"],
  grants: [],
  isFapi: false,
  isFirstParty: false,
  byCode: false,
};

export const patientToken = "11".repeat(16);
export const studyToken = "22".repeat(16);
const facts: StudyFacts = { facility: "", patient: patientToken, study: studyToken, order: "" };

/** A study as a list shows it: the one there is. */
const study = {
  ...{ studyToken, studyUid: "1.2.3", modalities: ["CT"], seriesCount: 1, instanceCount: 124, conflictCount: 0 },
  ...{ changedAt: 1, values: { PatientName: "Doe^Jane", PatientID: "4711", StudyDate: "20260131" } },
};

export type OauthHouse = Awaited<ReturnType<typeof startOauthHouse>>;

/**
 * The provider in the real HTTPS server with the real pages, sessions, grants, gate and log, in memory. `/who/:act` answers what the token
 * that the request came with may do, on a study of one patient.
 */
export async function startOauthHouse() {
  const [clock, random, log] = [systemClock, systemRandom, silentLog];
  const store = createMemoryAccessStore();
  const audit = await createAuditLog({
    ...{ store: createMemoryEntryStore(), clock },
    ...{ signingSeed: new Uint8Array(32), origin: "leadglass.log/test" },
  });
  const grants = await createGrants({ store, clock, random });
  const policy = createPolicy(grants);
  const gate = createGate({ policy, audit, clock });
  const shared = { store, grants, policy, box: openBox, random, clock, log };
  const people = createPeople(shared);
  const waysIn = await createWaysIn({ ...shared, people });
  const { sessions, recovery } = waysIn;
  const clients = await createOauthClients(shared);
  const records = await createOauthRecords(shared);
  let port = 0;
  const pageUrl = () => `https://localhost:${port}/`;
  const oauth = createOauth({
    ...{ clients, records, grants, recovery, gate, clock, random, log, pageUrl },
    keys: createOauthKeys({ records, clock, random }),
    ...{ isSessionLive: sessions.isLive, account: store.account, accountNamed: store.accountNamed },
    factsOf: async (token) => (token === studyToken ? facts : undefined),
  });
  const { http, listen, ca } = await createLocalHttp(waysIn, oauth.tokenActorOf);
  const { server, actorOf, sessionOf } = http;
  server.all<{ Params: { act: string } }>("/who/:act", async (request) =>
    gate.pass(actorOf(request), request.params.act as Act, { kind: "study", id: studyToken, facts }, async (pass) => ({
      actor: pass.actor.id,
      reach: pass.reach,
    })),
  );
  const streams: Actor[] = [];
  server.get("/stream", async (request) => ({ at: streams.push(actorOf(request)) - 1 }));
  await server.register(oauth.door({ actorOf, sessionOf, endSession: sessions.end }));
  const parts = {
    ...http,
    ...waysIn,
    ...{ gate, policy, grants, audit, people, clock, random, log, pageUrl, devices: createDevices(shared) },
    archive: {
      watch: () => () => {},
      listStudies: async () => ({ rows: [study], total: { count: 1, isExact: true } }),
    },
    phantom: { state: async () => ({ state: "absent", done: 0, total: 0 }), watch: () => () => {} },
    dicom: () => ({ aeTitle: "LEADGLASS", port: null }),
  };
  await server.register(createApiDoor(quietBeyond(parts) as never));
  const listener = await listen();
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
    ...{
      clients,
      records,
      grants,
      sessions,
      recovery: waysIn.recovery,
      store,
      audit,
      oauth,
      ca,
      person,
      pageUrl,
      streams,
    },
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

/** What the pages ask of the rest of the house is empty and never changes. */
function quietBeyond<T extends object>(parts: T): T {
  const quiet = new Proxy({}, { get: (_, name) => (/^watch/.test(String(name)) ? () => () => {} : async () => []) });
  return new Proxy(parts, { get: (held, name) => Reflect.get(held, name) ?? quiet });
}

/** A key pair for a client: the public half as it is registered, the private one to sign with. */
export function clientKeys(kid = "one") {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" }, privateKey };
}
