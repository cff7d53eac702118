import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isProblem } from "#base/problem";
import type { AccessStore, Account, Device } from "./access-store.ts";

const accountOf = (name: string, more: Partial<Account> = {}): Account => ({
  id: `id-${name}`,
  name,
  passwordHash: "$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA",
  totpSealed: Uint8Array.of(0, 1, 255),
  totpStep: 5,
  role: "administrator",
  createdAt: 1_700_000_000_000,
  ...more,
});

const deviceOf = (id: string, ae: string, address: string): Device => ({
  id,
  ae,
  address,
  createdAt: 1,
  lastSeenAt: 0,
});

/** What every access store must do. `open` gives one empty store for the whole suite; each test uses names of its own. */
export function accessStoreContract(open: () => Promise<AccessStore>): void {
  describe("contract of AccessStore", () => {
    let store: AccessStore;
    before(async () => {
      store = await open();
    });
    after(() => store.close());
    accountTests(() => store);
    sessionTests(() => store);
    clientTests(() => store);
    deviceTests(() => store);
  });
}

type Store = () => AccessStore;

function accountTests(store: Store): void {
  test("an account is found by id and by name, and a name is taken once", async () => {
    const account = accountOf("ada@example.org");
    await store().addAccount(account);
    assert.deepEqual(await store().account(account.id), account);
    assert.deepEqual(await store().accountNamed(account.name), account);
    assert.equal(await store().accountNamed("nobody\0"), undefined);
    const again = store().addAccount({ ...account, id: "another" });
    await assert.rejects(again, (error) => isProblem(error, "conflict"));
    await assert.rejects(store().addAccount({ ...account, name: "other" }), (error) => isProblem(error, "conflict"));
    assert.deepEqual(await store().accounts(), [account]);
  });

  test("a time step is used once, also by two at once, and never an older one", async () => {
    await store().addAccount(accountOf("totp"));
    const both = await Promise.all([store().useTotpStep("id-totp", 6), store().useTotpStep("id-totp", 6)]);
    assert.deepEqual(both.sort(), [false, true]);
    assert.equal(await store().useTotpStep("id-totp", 5), false);
    assert.equal(await store().useTotpStep("id-totp", 9), true);
    assert.equal(await store().useTotpStep("id-nobody", 9), false);
    assert.equal((await store().account("id-totp"))?.totpStep, 9);
  });

  test("a recovery code works once, for its account, until codes are replaced", async () => {
    await store().addAccount(accountOf("one"));
    await store().addAccount(accountOf("two"));
    await store().setRecoveryCodes("id-one", ["a", "b", "b"]);
    await store().setRecoveryCodes("id-two", ["a"]);
    assert.equal(await store().useRecoveryCode("id-two", "b"), false);
    const both = await Promise.all([store().useRecoveryCode("id-one", "a"), store().useRecoveryCode("id-one", "a")]);
    assert.deepEqual(both.sort(), [false, true]);
    assert.equal(await store().useRecoveryCode("id-two", "a"), true);
    await store().setRecoveryCodes("id-one", ["c"]);
    assert.equal(await store().useRecoveryCode("id-one", "b"), false);
    assert.equal(await store().useRecoveryCode("id-one", "c"), true);
  });
}

function sessionTests(store: Store): void {
  test("a session is there until it is ended, and remembers when it was seen", async () => {
    await store().addAccount(accountOf("seated"));
    const session = { digest: "d1", accountId: "id-seated", createdAt: 1, lastSeenAt: 1, endsAt: 100 };
    await store().addSession(session);
    await store().touchSession("d1", 50);
    await store().touchSession("none", 50);
    assert.deepEqual(await store().session("d1"), { ...session, lastSeenAt: 50 });
    await store().endSession("d1");
    await store().endSession("d1");
    assert.equal(await store().session("d1"), undefined);
  });

  test("sessions and tokens that ended before a time are removed, others stay", async () => {
    await store().addAccount(accountOf("many"));
    const { id: clientId } = await store().clientNamed({ id: "c-ends", name: "ends", createdAt: 1 });
    for (const endsAt of [9, 10]) {
      const times = { createdAt: 1, lastSeenAt: 1, endsAt };
      await store().addSession({ digest: `s${endsAt}`, accountId: "id-many", ...times });
      await store().addToken({ digest: `t${endsAt}`, clientId, createdAt: 1, endsAt });
    }
    await store().removeEnded(10);
    assert.equal(await store().session("s9"), undefined);
    assert.equal(await store().token("t9"), undefined);
    assert.equal((await store().session("s10"))?.endsAt, 10);
    assert.equal((await store().token("t10"))?.endsAt, 10);
  });
}

function clientTests(store: Store): void {
  test("a client of one name is made once, also by two at once, and its tokens lead to it", async () => {
    const made = await Promise.all(["x", "y"].map((id) => store().clientNamed({ id, name: "script", createdAt: 3 })));
    assert.deepEqual(made[0], made[1]);
    const client = made[0];
    assert.ok(client !== undefined);
    const token = { digest: "token", clientId: client.id, createdAt: 4, endsAt: 2_000_000_000_000 };
    await store().addToken(token);
    assert.deepEqual(await store().token("token"), { ...token, client });
    assert.equal(await store().token("other"), undefined);
    assert.equal((await store().clients()).filter(({ name }) => name === "script").length, 1);
  });
}

function deviceTests(store: Store): void {
  test("a device is kept under its id, one for an AE title at an address", async () => {
    const before = (await store().devices()).length;
    await store().putDevice(deviceOf("dev1", "CT1", "10.0.0.1"));
    await store().putDevice(deviceOf("dev2", "CT1", "10.0.0.2"));
    await store().putDevice({ ...deviceOf("dev2", "CT1", "10.0.0.3"), createdAt: 2 });
    await store().putDevice({ ...deviceOf("dev3", "CT1", "10.0.0.1"), createdAt: 3 });
    await store().touchDevice("dev2", 77);
    const devices = (await store().devices()).map(({ id, address, lastSeenAt }) => [id, address, lastSeenAt]);
    assert.deepEqual(devices, [
      ["dev2", "10.0.0.3", 77],
      ["dev3", "10.0.0.1", 0],
    ]);
    await store().removeDevice("dev2");
    await store().removeDevice("dev3");
    await store().removeDevice("dev3");
    assert.equal((await store().devices()).length, before);
  });

  test("rejected callers wait, the newest first and no more than asked, until admitted or forgotten", async () => {
    await store().noteWaiting("A", "10.0.0.1", 1, 3);
    await store().noteWaiting("B", "10.0.0.1", 2, 3);
    await store().noteWaiting("A", "10.0.0.1", 3, 3);
    const [first] = await store().waiting();
    assert.deepEqual(first, { ae: "A", address: "10.0.0.1", firstAt: 1, lastAt: 3, attempts: 2 });
    await store().noteWaiting("C", "::1", 4, 3);
    await store().noteWaiting("D", "10.0.0.1", 5, 3);
    assert.deepEqual(
      (await store().waiting()).map(({ ae }) => ae),
      ["D", "C", "A"],
    );
    await store().putDevice(deviceOf("dev-d", "D", "10.0.0.1"));
    await store().forgetWaiting("A", "10.0.0.9");
    await store().forgetWaiting("C", "::1");
    assert.deepEqual(
      (await store().waiting()).map(({ ae }) => ae),
      ["A"],
    );
    await store().removeDevice("dev-d");
  });
}
