import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { grantOf } from "../../trust/access/grant-store.contract.ts";
import { passkeyOf } from "../../trust/access/passkey-store.contract.ts";
import { sessionOf } from "../../trust/access/session-store.contract.ts";
import { type AccessDatabase, openAccessDatabase } from "./index.ts";
import { findPostgres, needsPostgres, startPostgres } from "./postgres-server.fixture.ts";
import { temporaryFolder } from "./temporary.fixture.ts";

const log = silentLog;
const openFile = (name = "access.db") => openAccessDatabase({ path: join(temporaryFolder(), name), log });

const recordRow = { kind: "step", id: "r1", version: 1, dueAt: undefined, sealed: Uint8Array.of(0, 0x27, 255) };

const signingKeyRow = { edge: "e1", publicKey: "key", since: 6 };

async function fill({ accessStore, recordStore }: AccessDatabase): Promise<void> {
  const account = {
    ...{ id: "a1", name: "anna o'neill ✓", passwordHash: "hash" },
    ...{ totpSealed: Uint8Array.from([0, 1, 0x27, 255]), totpStep: 7, createdAt: 1_700_000_000_000 },
  };
  await accessStore.addAccount(account, [grantOf("g1", "user:a1")]);
  await accessStore.setRecoveryCodes("a1", ["one", "two"]);
  await accessStore.addSession(sessionOf("s", "user:a1"));
  await accessStore.addPasskey(passkeyOf("k", "a1"));
  await accessStore.clientNamed({ id: "c1", name: "script", createdAt: 3 });
  await accessStore.addFacility({ id: "f1", name: "North", createdAt: 4 });
  await accessStore.putDevice({
    id: "d1",
    ae: "CT1",
    address: "10.0.0.1",
    facility: "f1",
    ...{ port: 104, tls: true, may: ["store", "worklist"], certificate: "ab" },
    createdAt: 4,
    lastSeenAt: 5,
  });
  await recordStore.change([{ replaces: 0, put: recordRow }]);
  await accessStore.addSigningKey(signingKeyRow);
}

async function assertCarried({ accessStore, recordStore }: AccessDatabase): Promise<void> {
  const [account, ...others] = await accessStore.accounts();
  assert.equal(others.length, 0);
  assert.equal(account?.name, "anna o'neill ✓");
  assert.deepEqual(await accessStore.grants(), [grantOf("g1", "user:a1")]);
  assert.deepEqual(Buffer.from(account?.totpSealed ?? []), Buffer.from([0, 1, 0x27, 255]));
  assert.equal(account?.totpStep, 7);
  assert.ok(await accessStore.useRecoveryCode("a1", "two"));
  assert.deepEqual(
    (await accessStore.devices()).map(({ ae, facility, port, may }) => [ae, facility, port, may]),
    [["CT1", "f1", 104, ["store", "worklist"]]],
  );
  assert.deepEqual(await recordStore.get("step", "r1"), recordRow);
  assert.deepEqual(await accessStore.signingKeys("e1"), [signingKeyRow], "what it vouched for is in the packs");
  assert.deepEqual(await accessStore.facilities(), [{ id: "f1", name: "North", createdAt: 4 }]);
  assert.deepEqual(
    (await accessStore.clients()).map(({ name }) => name),
    ["script"],
  );
  assert.deepEqual(await accessStore.passkeysOf("a1"), [passkeyOf("k", "a1")]);
  assert.deepEqual(await accessStore.sessions(), [], "who was signed in signs in again");
}

test("accounts, recovery codes, programs and devices come over; sessions stay behind", async () => {
  const [from, to] = [await openFile(), await openFile()];
  await fill(from);
  await to.place(await from.copy());
  await assertCarried(to);
  await from.close();
  await to.close();
});

test("a database that holds an account is left as it is", async () => {
  const [from, to] = [await openFile(), await openFile()];
  await fill(from);
  await fill(to);
  await assert.rejects(to.place(await from.copy()), (error) => isProblem(error, "conflict"));
  await from.close();
  await to.close();
});

test("from SQLite to PostgreSQL and back", async (t) => {
  const programs = await findPostgres();
  if (programs === undefined) return t.skip(needsPostgres);
  const server = await startPostgres(programs);
  try {
    const [from, over, back] = [await openFile(), await openAccessDatabase({ url: server.url, log }), await openFile()];
    await fill(from);
    await over.place(await from.copy());
    await back.place(await over.copy());
    await assertCarried(back);
    await Promise.all([from.close(), over.close(), back.close()]);
  } finally {
    await server.stop();
  }
});

test("of every table it is decided whether it is carried", async () => {
  const folder = temporaryFolder();
  const database = await openAccessDatabase({ path: join(folder, "access.db"), log });
  const { tables } = JSON.parse((await database.copy()).toString()) as { tables: object };
  await database.close();
  const left = [
    "account_links",
    "client_tokens",
    "edges",
    "invitations",
    "known_browsers",
    "log_details",
    "oauth_records",
    "requests",
    "schema_version",
    "sessions",
    "shares",
    "waiting_callers",
  ];
  const file = new DatabaseSync(join(folder, "access.db"), { readOnly: true });
  const all = file.prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'").all();
  file.close();
  assert.deepEqual([...Object.keys(tables), ...left].sort(), all.map(({ name }) => String(name)).sort());
});
