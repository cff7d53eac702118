import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isProblem } from "#base/problem";
import type { AccessStore, Account, Device, Invitation, StoredRequest } from "./access-store.ts";
import { accountLinkStoreTests, linkTo } from "./account-link-store.contract.ts";
import { edgeStoreTests } from "./edge-store.contract.ts";
import { facilityStoreTests } from "./facility-store.contract.ts";
import { grantOf, grantStoreTests } from "./grant-store.contract.ts";
import { identityProviderStoreTests } from "./identity-provider-store.contract.ts";
import { knownBrowserStoreTests } from "./known-browser-store.contract.ts";
import { oauthRecordsStoreTests } from "./oauth-records-store.contract.ts";
import { passkeyOf, passkeyStoreTests } from "./passkey-store.contract.ts";
import { reviewStoreTests } from "./review-store.contract.ts";
import { savedViewStoreTests } from "./saved-view-store.contract.ts";
import { sessionOf, sessionStoreTests } from "./session-store.contract.ts";
import { shareStoreTests } from "./share-store.contract.ts";
import { watchedStoreTests } from "./watched-store.contract.ts";

const accountOf = (name: string, more: Partial<Account> = {}): Account => ({
  id: `id-${name}`,
  name,
  passwordHash: "$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA",
  totpSealed: Uint8Array.of(0, 1, 255),
  totpStep: 5,
  createdAt: 1_700_000_000_000,
  ...more,
});

const deviceOf = (id: string, ae: string, address: string): Device => ({
  id,
  ae,
  address,
  facility: "",
  port: 104,
  tls: true,
  may: ["store", "worklist"],
  certificate: "ab".repeat(32),
  createdAt: 1,
  lastSeenAt: 0,
});

const requestOf = (id: string, more: Partial<StoredRequest> = {}): StoredRequest => ({
  id,
  act: "study.shred",
  subjectKind: "study",
  subjectId: "ab",
  requestedBy: "operator",
  requestedAt: 1_700_000_000_000,
  endsAt: 1_700_000_001_000,
  state: "pending",
  decidedBy: "",
  decidedAt: 0,
  begun: 0,
  detailSealed: Uint8Array.of(0, 255),
  resultSealed: new Uint8Array(0),
  ...more,
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
    grantStoreTests(() => store);
    invitationTests(() => store);
    const made = (id: string) => store.addAccount(accountOf(id, { id }), []);
    waysInTests(() => store);
    sessionStoreTests(() => store);
    passkeyStoreTests(() => store, made);
    knownBrowserStoreTests(() => store, made);
    accountLinkStoreTests(() => store, made);
    identityProviderStoreTests(() => store);
    endingTests(() => store);
    clientTests(() => store);
    oauthRecordsStoreTests(() => store);
    facilityStoreTests(() => store);
    edgeStoreTests(() => store);
    shareStoreTests(() => store);
    reviewStoreTests(() => store);
    watchedStoreTests(() => store, made);
    savedViewStoreTests(() => store, made);
    deviceTests(() => store);
    requestTests(() => store);
  });
}

type Store = () => AccessStore;

function accountTests(store: Store): void {
  test("an account is found by id and by name, and a name is taken once", async () => {
    const account = accountOf("ada@example.org");
    await store().addAccount(account, [grantOf("g-ada", "user:id-ada")]);
    assert.deepEqual(await store().account(account.id), account);
    assert.deepEqual(await store().accountNamed(account.name), account);
    assert.equal(await store().accountNamed("nobody\0"), undefined);
    const again = store().addAccount({ ...account, id: "another" }, [grantOf("g-other", "user:another")]);
    await assert.rejects(again, (error) => isProblem(error, "conflict"));
    await assert.rejects(store().addAccount({ ...account, name: "other" }, []), (error) =>
      isProblem(error, "conflict"),
    );
    assert.deepEqual(await store().accounts(), [account]);
    const ids = (await store().grants()).map(({ id }) => id);
    assert.ok(ids.includes("g-ada") && !ids.includes("g-other"), "an account comes with its grants, or neither comes");
  });

  test("a time step is used once, also by two at once, and never an older one", async () => {
    await store().addAccount(accountOf("totp"), []);
    const both = await Promise.all([store().useTotpStep("id-totp", 6), store().useTotpStep("id-totp", 6)]);
    assert.deepEqual(both.sort(), [false, true]);
    assert.equal(await store().useTotpStep("id-totp", 5), false);
    assert.equal(await store().useTotpStep("id-totp", 9), true);
    assert.equal(await store().useTotpStep("id-nobody", 9), false);
    assert.equal((await store().account("id-totp"))?.totpStep, 9);
  });

  test("a recovery code works once, for its account, until codes are replaced", async () => {
    await store().addAccount(accountOf("one"), []);
    await store().addAccount(accountOf("two"), []);
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

function invitationTests(store: Store): void {
  const invitationTo = (name: string, digest: string): Invitation => ({
    digest,
    name,
    grants: [{ role: "researcher", place: { kind: "facility", id: "f1" }, purpose: "research", endsAt: 9 }],
    invitedBy: "operator",
    createdAt: 1,
    endsAt: 2_000_000_000_000,
  });

  test("an invitation is found by its digest until it is removed, and a later one to the same name takes its place", async () => {
    const kept = invitationTo("eve", "i2");
    await store().putInvitation(invitationTo("eve", "i1"));
    await store().putInvitation(kept);
    await store().putInvitation(invitationTo("other", "i3"));
    assert.equal(await store().invitation("i1"), undefined);
    assert.deepEqual(await store().invitation("i2"), kept);
    assert.deepEqual(
      (await store().invitations()).map(({ digest }) => digest),
      ["i2", "i3"],
    );
    await store().removeInvitation("i2");
    await store().removeInvitation("i2");
    await store().removeInvitation("i3");
    assert.deepEqual(await store().invitations(), []);
  });

  test("a removed account takes its sessions, ways in and links with it, and leaves its name free", async () => {
    await store().addAccount(accountOf("leaver"), []);
    await store().addAccount(accountOf("stayer"), []);
    await store().setRecoveryCodes("id-leaver", ["r"]);
    await store().addSession(sessionOf("leaves", "user:id-leaver"));
    await store().addSession(sessionOf("stays", "user:id-stayer"));
    await store().addPasskey(passkeyOf("pk-leaves", "id-leaver"));
    await store().addKnownBrowser({ digest: "b", accountId: "id-leaver", createdAt: 1 }, 9);
    await store().putAccountLink(linkTo("id-leaver", "l-leaves"));
    await store().putInvitation(invitationTo("leaver", "i4"));
    await store().putInvitation(invitationTo("stayer", "i5"));
    assert.equal(await store().removeAccount("id-leaver"), true);
    assert.equal(await store().removeAccount("id-leaver"), false);
    assert.equal(await store().account("id-leaver"), undefined);
    const left = (await store().sessions()).map(({ digest }) => digest);
    assert.ok(!left.includes("leaves") && left.includes("stays"));
    assert.equal(await store().passkey("pk-leaves"), undefined);
    assert.equal(await store().isKnownBrowser("b", "id-leaver"), false);
    assert.equal(await store().accountLink("l-leaves"), undefined);
    assert.equal(await store().useRecoveryCode("id-leaver", "r"), false);
    assert.equal(await store().invitation("i4"), undefined);
    assert.equal((await store().invitation("i5"))?.name, "stayer");
    await store().addAccount(accountOf("leaver", { totpStep: 77 }), []);
    assert.equal((await store().accountNamed("leaver"))?.totpStep, 77);
  });
}

function waysInTests(store: Store): void {
  const none = { passwordHash: "", totpSealed: new Uint8Array(0), totpStep: 0 };

  test("an account comes with its first passkey, or not at all", async () => {
    await store().addAccount(accountOf("with-key", none), [], [passkeyOf("first-key", "id-with-key")]);
    assert.equal((await store().passkeysOf("id-with-key")).length, 1);
    const taken = store().addAccount(accountOf("no-key", none), [], [passkeyOf("first-key", "id-no-key")]);
    await assert.rejects(taken, (error) => isProblem(error, "conflict"));
    assert.equal(await store().accountNamed("no-key"), undefined);
  });

  test("factors are changed, and all ways in replaced at once", async () => {
    await store().addAccount(accountOf("loser"), [], [passkeyOf("lost-key", "id-loser")]);
    await store().setRecoveryCodes("id-loser", ["a", "b"]);
    await store().addKnownBrowser({ digest: "kb", accountId: "id-loser", createdAt: 1 }, 9);
    const changed = { passwordHash: "$argon2id$x", totpSealed: Uint8Array.of(7), totpStep: 9 };
    assert.equal(await store().setFactors("id-loser", changed), true);
    assert.deepEqual(await store().account("id-loser"), accountOf("loser", changed));
    assert.equal(await store().recoveryCodesLeft("id-loser"), 2);
    assert.equal(await store().replaceWaysIn("id-loser", none, [passkeyOf("new-key", "id-loser")]), true);
    assert.deepEqual(await store().account("id-loser"), accountOf("loser", none));
    assert.deepEqual(
      (await store().passkeysOf("id-loser")).map(({ id }) => id),
      ["new-key"],
    );
    assert.equal(await store().recoveryCodesLeft("id-loser"), 0);
    assert.equal(await store().isKnownBrowser("kb", "id-loser"), false);
    assert.equal(await store().setFactors("nobody", none), false);
    assert.equal(await store().replaceWaysIn("nobody", none, []), false);
  });
}

function endingTests(store: Store): void {
  const digestsOf = async () => (await store().sessions()).map(({ digest }) => digest);

  test("what ended before a time is removed, the rest stays", async () => {
    await store().addAccount(accountOf("many"), []);
    await store().addAccount(accountOf("some"), []);
    const { id: clientId } = await store().clientNamed({ id: "c-ends", name: "ends", createdAt: 1 });
    for (const endsAt of [9, 10]) {
      await store().addSession(sessionOf(`s${endsAt}`, "user:id-many", { endsAt }));
      await store().addToken({ digest: `t${endsAt}`, clientId, masked: false, createdAt: 1, endsAt });
      await store().putAccountLink({ ...linkTo(endsAt === 9 ? "id-many" : "id-some", `l${endsAt}`), endsAt });
      const invited = { name: `invited${endsAt}`, grants: [], invitedBy: "operator" };
      await store().putInvitation({ digest: `i${endsAt}`, ...invited, createdAt: 1, endsAt });
    }
    await store().removeEnded(10);
    const left = await digestsOf();
    assert.ok(!left.includes("s9") && left.includes("s10"));
    assert.equal(await store().token("t9"), undefined);
    assert.equal(await store().invitation("i9"), undefined);
    assert.equal(await store().accountLink("l9"), undefined);
    assert.equal((await store().invitation("i10"))?.name, "invited10");
    assert.equal((await store().token("t10"))?.endsAt, 10);
    assert.equal((await store().accountLink("l10"))?.endsAt, 10);
  });
}

function clientTests(store: Store): void {
  test("a client of one name is made once, also by two at once, and its tokens lead to it", async () => {
    const made = await Promise.all(["x", "y"].map((id) => store().clientNamed({ id, name: "script", createdAt: 3 })));
    assert.deepEqual(made[0], made[1]);
    const client = made[0];
    assert.ok(client !== undefined);
    const token = { digest: "token", clientId: client.id, masked: false, createdAt: 4, endsAt: 2_000_000_000_000 };
    const blinkered = { ...token, digest: "blinkered", masked: true };
    await store().addToken(token);
    await store().addToken(blinkered);
    assert.deepEqual(await store().token("token"), { ...token, client });
    assert.deepEqual(await store().token("blinkered"), { ...blinkered, client });
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

function requestTests(store: Store): void {
  test("a request is kept as it was asked, the newest first, its id once", async () => {
    const older = requestOf("q1");
    const newer = requestOf("q2", { requestedAt: older.requestedAt + 1 });
    await store().addRequest(newer);
    await store().addRequest(older);
    await assert.rejects(store().addRequest(older), (error) => isProblem(error, "conflict"));
    assert.deepEqual(await store().request("q1"), older);
    assert.equal(await store().request("q\0"), undefined);
    assert.deepEqual(await store().requests(), [newer, older]);
  });

  test("a request moves once from where it was known, also when two move it at once", async () => {
    await store().addRequest(requestOf("q3"));
    const known = { id: "q3", state: "pending", begun: 0 } as const;
    const both = await Promise.all(
      ["a", "b"].map((decidedBy) => store().moveRequest(known, { state: "confirmed", decidedBy, decidedAt: 7 })),
    );
    assert.deepEqual(both.sort(), [false, true]);
    const confirmed = { ...known, state: "confirmed" } as const;
    assert.equal(await store().moveRequest(confirmed, { begun: 1 }), true);
    assert.equal(await store().moveRequest(confirmed, { begun: 1 }), false);
    const resultSealed = Uint8Array.of(1, 0);
    assert.equal(await store().moveRequest({ ...confirmed, begun: 1 }, { state: "done", resultSealed }), true);
    const { decidedBy, ...moved } = (await store().request("q3")) ?? requestOf("none");
    const { decidedBy: _, ...wanted } = requestOf("q3", { state: "done", decidedAt: 7, begun: 1, resultSealed });
    assert.deepEqual(moved, wanted);
    assert.ok(decidedBy === "a" || decidedBy === "b");
    assert.equal(await store().moveRequest({ ...known, id: "none" }, { state: "refused" }), false);
  });

  test("old requests are removed, but never one that is being done", async () => {
    await store().addRequest(requestOf("q4", { requestedAt: 5 }));
    await store().addRequest(requestOf("q5", { requestedAt: 5, state: "confirmed", begun: 1 }));
    await store().addRequest(requestOf("q6", { requestedAt: 6 }));
    await store().removeRequests(6);
    assert.equal(await store().request("q4"), undefined);
    assert.equal((await store().request("q5"))?.begun, 1);
    assert.equal((await store().request("q6"))?.requestedAt, 6);
  });
}
