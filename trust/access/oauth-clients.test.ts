import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createMemoryAccessStore } from "#stores/memory";
import { operator } from "./acts.ts";
import { createGrants } from "./grants.ts";
import { createOauthClients, type NewOauthClient } from "./oauth-clients.ts";

const service = { role: "service", place: { kind: "tenant" }, purpose: "operations", endsAt: 0 } as const;
const machine: NewOauthClient = {
  ...{ name: "machine", redirectUris: [], isFapi: false, isFirstParty: false, byCode: false, grants: [service] },
  proof: { kind: "keys", keys: [{ kty: "EC", crv: "P-256", x: "x", y: "y" }] },
};

async function start(store = createMemoryAccessStore()) {
  const shared = { store, clock: createVirtualClock(), random: systemRandom };
  const grants = await createGrants(shared);
  return { store, grants, clients: await createOauthClients({ ...shared, grants }) };
}

test("a client is there with its grants, after a restart too, until it is removed with all that it held", async () => {
  const { store, grants, clients } = await start();
  const added = await clients.add(machine, operator);
  assert.equal(grants.liveOf(`client:${added.id}`).length, 1);
  const again = await start(store);
  assert.deepEqual(again.clients.list(), [added]);
  const told: string[] = [];
  again.clients.watchRemoved(async (id) => void told.push(id));
  await again.clients.remove(added.id, operator);
  assert.deepEqual([again.clients.list(), again.grants.liveOf(`client:${added.id}`), told], [[], [], [added.id]]);
  await assert.rejects(again.clients.remove(added.id, operator), { code: "absent" });
  await again.clients.add(machine, operator);
});

test("a client that could not be kept whole is not there at all, and its name is free", async () => {
  for (const method of ["putOauthClient", "addGrants"]) {
    const { store, clients } = await start();
    store.failNext(new Error("disk"), method);
    await assert.rejects(clients.add(machine, operator));
    assert.deepEqual([clients.list(), await store.clients(), await store.oauthClients()], [[], [], []]);
    await clients.add(machine, operator);
  }
});

test("two of one name, or with the name of a script, are refused", async () => {
  const { store, clients } = await start();
  await store.clientNamed({ id: "x", name: "script", createdAt: 1 });
  await clients.add(machine, operator);
  for (const name of ["machine", "script"]) {
    await assert.rejects(clients.add({ ...machine, name }, operator), { code: "conflict" });
  }
});

test("a private key, an unknown key, a broken certificate, a public client with grants or FAPI: refused", async () => {
  const { clients } = await start();
  const wrong: Partial<NewOauthClient>[] = [
    { proof: { kind: "keys", keys: [{ kty: "EC", d: "secret" }] } },
    { proof: { kind: "keys", keys: [{ kty: "oct", k: "secret" }] } },
    { proof: { kind: "keys", keys: [] } },
    { proof: { kind: "keys", keys: [{ kty: "XX" }] } },
    { proof: { kind: "certificate", certificate: "none" } },
    { proof: { kind: "none" } },
    { proof: { kind: "none" }, grants: [], redirectUris: [] },
    { proof: { kind: "none" }, grants: [], redirectUris: ["https://a.example/"], isFapi: true },
    { name: "white space" },
    { redirectUris: Array.from({ length: 21 }, (_, at) => `https://a.example/${at}`) },
  ];
  for (const change of wrong)
    await assert.rejects(clients.add({ ...machine, ...change }, operator), { code: "invalid" });
  assert.deepEqual(clients.list(), []);
});
