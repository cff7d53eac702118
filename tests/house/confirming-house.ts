import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { newToken, systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { createApiDoor } from "#doors/api";
import { createMemoryAccessStore, createMemoryDetailStore, createMemoryEntryStore } from "#stores/memory";
import {
  type ConfirmationParts,
  createConfirmations,
  createDevices,
  createFacilities,
  createGate,
  createGrants,
  createPeople,
  createPolicy,
  createWaysIn,
  operator,
  personOf,
  type Role,
  totpCode,
} from "#trust/access";
import { createAuditLog } from "#trust/audit";
import { createLocalHttp } from "../../apps/server/http.fixture.ts";
import { openBox } from "../../trust/access/confirmations.fixture.ts";
import { fetchTrusting } from "./trusting-fetch.ts";

/** The real HTTPS server with the real pages, sign-in, gate, log and confirmations, in memory, over an archive that is empty. */
export async function startConfirmingHouse(perform: ConfirmationParts["perform"], options: { minutes?: number } = {}) {
  const [clock, random, log] = [systemClock, systemRandom, silentLog];
  const store = createMemoryAccessStore();
  const audit = await createAuditLog({
    ...{ store: createMemoryEntryStore(), clock },
    details: { store: createMemoryDetailStore(), box: openBox, random },
    signingSeed: new Uint8Array(32),
    origin: "leadglass.log/test",
  });
  const grants = await createGrants({ store, clock, random });
  const policy = createPolicy(grants);
  const gate = createGate({ policy, audit, clock });
  const shared = { store, grants, policy, box: openBox, random, clock, log };
  const people = createPeople(shared);
  const waysIn = await createWaysIn({ ...shared, people, loopbackProviders: true });
  const { signIn, sessions } = waysIn;
  const confirmations = createConfirmations({ ...shared, ...options, gate, signIn, perform });
  const { http, listen, ca: authority } = await createLocalHttp(waysIn);
  const door = createApiDoor({
    breaker: { watch: () => () => {} },
    reviews: { watch: () => () => {} },
    edges: { watch: () => () => {} },
    ...http,
    ...waysIn,
    ...{ gate, policy, grants, audit, people, confirmations, clock, random, log },
    devices: createDevices(shared),
    facilities: createFacilities(shared),
    archive: {
      watch: () => () => {},
      listStudies: async () => ({ rows: [], total: { count: 0, isExact: true } }),
    } as never,
    phantom: { state: async () => ({ state: "absent", done: 0, total: 0 }), watch: () => () => {} } as never,
    status: async () => ({ stopped: [] }) as never,
    dicom: () => ({ aeTitle: "LEADGLASS", port: null }),
    rootPassphrase: async () => "root passphrase",
    pageUrl: () => `https://localhost:${listener.port}/`,
  } as never);
  await http.server.register(door);
  const listener = await listen();
  const folder = mkdtempSync(join(tmpdir(), "lg-"));
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, authority);

  const person = async (name: string, role: Role = "administrator") => {
    const seed = random(new Uint8Array(20));
    const id = newToken(random);
    const totpSealed = openBox.seal(`totp ${id}`, seed);
    const account = { id, name, passwordHash: "", totpSealed, totpStep: 0, createdAt: clock.now() };
    await store.addAccount(account, []);
    const terms = { role, place: { kind: "tenant" }, purpose: "operations", endsAt: 0 } as const;
    await grants.give(`user:${id}`, terms, operator);
    const session = async () => (await sessions.begin(`user:${id}`, { userAgent: "", address: "" })).secret;
    return {
      ...{ id, name, actor: personOf(account), session },
      /** What the authenticator shows now. */
      code: () => totpCode(seed, clock.now()),
      /** What it showed half a minute ago, and will in half a minute: both are good, so that a test need not wait. */
      codeBefore: () => totpCode(seed, clock.now() - 30_000),
      codeAfter: () => totpCode(seed, clock.now() + 30_000),
    };
  };

  return {
    ...{ ...waysIn, confirmations, people, grants, audit, person },
    https: listener.port,
    fetch: (path: string, init: RequestInit = {}) =>
      fetchTrusting(`https://localhost:${listener.port}${path}`, init, ca),
    /** A request as the page of that session makes it. */
    call: async (secret: string, method: string, path: string, body?: object) =>
      fetchTrusting(
        `https://localhost:${listener.port}${path}`,
        {
          method,
          headers: {
            cookie: `__Host-leadglass=${secret}`,
            "x-leadglass": "1",
            ...(body && { "content-type": "application/json" }),
          },
          ...(body && { body: JSON.stringify(body) }),
        },
        ca,
      ),
    async remove() {
      await http.server.close();
      await listener.close();
      await confirmations.close();
      await audit.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
