import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import type { FastifyRequest } from "fastify";
import { calculateJwkThumbprint, SignJWT } from "jose";
import { createVirtualClock } from "#base/clock";
import { createDpopCheck } from "./dpop.ts";

const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwk = publicKey.export({ format: "jwk" });
const thumbprint = await calculateJwkThumbprint(jwk as never);
const pageUrl = () => "https://archive.example/";
const token = "a-token";
const ath = createHash("sha256").update(token).digest("base64url");

const proofAt = (iat: number, jti: string, htu = "https://archive.example/dicom-web/studies") =>
  new SignJWT({ htm: "GET", htu, ath, jti, iat })
    .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: jwk as never })
    .sign(privateKey);
const requestWith = (dpop: string | string[], url = "/dicom-web/studies?limit=1") =>
  ({ headers: { dpop }, method: "GET", url }) as unknown as FastifyRequest;
const nowOf = (clock: { now(): number }) => Math.floor(clock.now() / 1000);

test("a proof is good once, and its number again only when the proof would be too old", async () => {
  const clock = createVirtualClock();
  clock.advance(1_000_000);
  const check = createDpopCheck({ clock, pageUrl });
  const proof = await proofAt(nowOf(clock), "one");
  const both = await Promise.all([1, 2].map(() => check.proves(requestWith(proof), token, thumbprint)));
  assert.deepEqual(both.sort(), [false, true]);
  clock.advance(59_000);
  assert.equal(await check.proves(requestWith(proof), token, thumbprint), false);
  clock.advance(2_000);
  assert.equal(await check.proves(requestWith(await proofAt(nowOf(clock), "one")), token, thumbprint), false);
  clock.advance(120_000);
  assert.equal(await check.proves(requestWith(proof), token, thumbprint), false, "too old by itself");
  assert.equal(await check.proves(requestWith(await proofAt(nowOf(clock), "one")), token, thumbprint), true);
});

test("a proof that was made before this process began may have been taken by the last one", async () => {
  const clock = createVirtualClock();
  clock.advance(1_000_000);
  const before = await proofAt(nowOf(clock), "one");
  assert.equal(await createDpopCheck({ clock, pageUrl }).proves(requestWith(before), token, thumbprint), true);
  clock.advance(5_000);
  const restarted = createDpopCheck({ clock, pageUrl });
  assert.equal(await restarted.proves(requestWith(before), token, thumbprint), false);
  assert.equal(await restarted.proves(requestWith(await proofAt(nowOf(clock), "two")), token, thumbprint), true);
});

test("the address is ours, whatever the request says; query and fragment do not count", async () => {
  const clock = createVirtualClock();
  clock.advance(1_000_000);
  const check = createDpopCheck({ clock, pageUrl });
  const now = nowOf(clock);
  const tries = [
    ["https://archive.example/dicom-web/studies?x=1#y", "/dicom-web/studies", true],
    ["HTTPS://ARCHIVE.example:443/dicom-web/studies", "/dicom-web/studies", true],
    ["https://evil.example/dicom-web/studies", "https://evil.example/dicom-web/studies", false],
    ["https://archive.example/dicom-web/studies/", "/dicom-web/studies", false],
    ["https://archive.example/dicom-web/../api", "/dicom-web/studies", false],
    ["https://archive.example/x", "//x/dicom-web/studies", false],
  ] as const;
  for (const [at, [htu, url, expected]] of tries.entries()) {
    const proof = await proofAt(now, `number ${at}`, htu);
    assert.equal(await check.proves(requestWith(proof, url), token, thumbprint), expected, htu);
  }
});

test("two proofs, one that is no proof, or a very long one: none", async () => {
  const clock = createVirtualClock();
  clock.advance(1_000_000);
  const check = createDpopCheck({ clock, pageUrl });
  const proof = await proofAt(nowOf(clock), "one");
  for (const wrong of ["", "a.b.c", `${proof}, ${proof}`, [proof, proof], "x".repeat(100_000), undefined as never]) {
    assert.equal(await check.proves(requestWith(wrong), token, thumbprint), false);
  }
});
