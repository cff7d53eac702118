import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createMemoryAccessStore } from "#stores/memory";
import { createEdges, type EdgeAsking, edgeCodeMinutes } from "./edges.ts";

/** 32 bytes, as a public key has. */
const signingKeyOf = (letter: string) => Buffer.alloc(32, letter).toString("base64url");

function opened() {
  const clock = createVirtualClock();
  const store = createMemoryAccessStore();
  let issued = 0;
  const asking: EdgeAsking = {
    software: "1.0",
    signingKey: signingKeyOf("1"),
    issue: async () => ({ certificate: "PEM", serial: `0${++issued}`, notAfter: clock.now() + 30 * 86_400_000 }),
  };
  return { clock, store, asking, edges: createEdges({ store, clock, random: systemRandom }) };
}

async function enrolled() {
  const parts = opened();
  const { edge, secret } = await parts.edges.invite("North, basement", "");
  const { serial } = await parts.edges.enrol(await parts.edges.invited(secret, "a"), parts.asking);
  return { ...parts, id: edge.id, secret, serial };
}

test("a code enrols one box once, and what is kept of it is a digest", async () => {
  const { edges, asking, store } = opened();
  const { edge, secret } = await edges.invite("  North, basement ", "");
  assert.deepEqual([edge.name, edge.state, secret.length * 8], ["North, basement", "invited", 80]);
  assert.ok(!JSON.stringify(await store.edges()).includes(secret.toString("hex")));
  const found = await edges.invited(secret, "a");
  const both = await Promise.allSettled([edges.enrol(found, asking), edges.enrol(found, asking)]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  await assert.rejects(edges.invited(secret, "a"), { code: "absent" });
  const [listed] = await edges.list();
  assert.deepEqual([listed?.state, listed?.software, listed?.codeDigest], ["enrolled", "1.0", ""]);
});

test("a code holds for 15 minutes, and a newer one ends it", async () => {
  const { edges, clock } = opened();
  const { edge, secret } = await edges.invite("North", "");
  const again = await edges.inviteAgain(edge.id);
  await assert.rejects(edges.invited(secret, "a"), { code: "absent" });
  await clock.advance(edgeCodeMinutes * 60_000 - 1);
  assert.equal((await edges.invited(again.secret, "a")).id, edge.id);
  await clock.advance(1);
  await assert.rejects(edges.invited(again.secret, "a"), { code: "absent" });
});

test("who tries one code after the other from one address waits; who has a code does not, from there either", async () => {
  const { edges } = opened();
  const { secret } = await edges.invite("North", "");
  const wrong = Buffer.alloc(10);
  for (let tries = 0; tries < 10; tries++) await assert.rejects(edges.invited(wrong, "a"), { code: "absent" });
  await assert.rejects(edges.invited(wrong, "a"), { code: "busy" });
  await assert.rejects(edges.invited(wrong, "b"), { code: "absent" });
  assert.equal((await edges.invited(secret, "a")).name, "North");
});

test("the certificate before holds until the renewed one is shown, and not longer", async () => {
  const { edges, asking, id, serial } = await enrolled();
  const lost = await edges.renew(id, asking);
  const next = await edges.renew(id, asking);
  assert.equal((await edges.admit(id, serial)).id, id);
  await assert.rejects(edges.admit(id, lost.serial), { code: "unproven" });
  assert.equal((await edges.admit(id, next.serial)).serial, next.serial);
  await assert.rejects(edges.admit(id, serial), { code: "unproven", message: /newer certificate/ });
});

test("who is revoked or removed comes in no more, renews nothing, and may be enrolled again with a new code", async () => {
  const { edges, asking, id, serial } = await enrolled();
  const told: string[] = [];
  edges.watch((changed) => told.push(changed));
  const pending = await edges.inviteAgain(id);
  await edges.revoke(id);
  assert.deepEqual(told, [id, id]);
  await assert.rejects(edges.invited(pending.secret, "a"), { code: "absent" }, "the code that was out ended with it");
  await assert.rejects(edges.admit(id, serial), { code: "unproven", message: /was revoked/ });
  await assert.rejects(edges.renew(id, asking), { code: "unproven" });
  await assert.rejects(edges.revoke(id), { code: "conflict" });
  const { secret } = await edges.inviteAgain(id);
  const again = await edges.enrol(await edges.invited(secret, "a"), asking);
  assert.equal((await edges.admit(id, again.serial)).state, "enrolled");
  await assert.rejects(edges.admit(id, serial), { code: "unproven" });
  await edges.remove(id);
  await assert.rejects(edges.admit(id, again.serial), { code: "unproven" });
  await assert.rejects(edges.remove(id), { code: "absent" });
});

test("a name is one, of letters that are seen, and stands in a facility that there is", async () => {
  const { edges } = opened();
  await edges.invite("North", "");
  await assert.rejects(edges.invite("North ", ""), { code: "conflict" });
  for (const name of ["", " ", "a\nb", "a\u202eb", "x".repeat(65)]) {
    await assert.rejects(edges.invite(name, ""), { code: "invalid" });
  }
  await assert.rejects(edges.invite("South", "0".repeat(32)), { code: "absent" });
});

test("what an edge ever signed with is known, also when it was revoked, enrolled again or removed", async () => {
  const { edges, asking, id, clock } = await enrolled();
  await clock.advance(1);
  await edges.renew(id, { ...asking, signingKey: signingKeyOf("1") });
  await edges.renew(id, { ...asking, signingKey: signingKeyOf("2") });
  await edges.revoke(id);
  const { secret } = await edges.inviteAgain(id);
  await clock.advance(1);
  await edges.enrol(await edges.invited(secret, "a"), { ...asking, signingKey: signingKeyOf("3") });
  const keys = [signingKeyOf("3"), signingKeyOf("2"), signingKeyOf("1")];
  assert.deepEqual(await edges.signingKeysOf(id), keys);
  await edges.remove(id);
  assert.deepEqual(await edges.signingKeysOf(id), keys);
  assert.deepEqual(await edges.signingKeysOf("none"), []);
});

test("what is no signing key, or one more than an edge can have had, gets no certificate", async () => {
  const { edges, asking, id } = await enrolled();
  const issue = () => assert.fail("nothing is issued");
  for (const signingKey of ["", "AA", `${asking.signingKey}A`, `${asking.signingKey.slice(1)}\n`])
    await assert.rejects(edges.renew(id, { ...asking, signingKey, issue }), { code: "invalid" });
  const key = (number: number) => Buffer.alloc(32, number).toString("base64url");
  for (let number = 101; number < 200; number++) await edges.renew(id, { ...asking, signingKey: key(number) });
  await assert.rejects(edges.renew(id, { ...asking, signingKey: key(200), issue }), { code: "conflict" });
  await edges.renew(id, asking);
});
