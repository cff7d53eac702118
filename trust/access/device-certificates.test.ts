import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createMemoryAccessStore } from "#stores/memory";
import {
  boundToKey,
  boundToName,
  canonicalName,
  type DeviceProof,
  isProven,
  keyDigestOf,
} from "./device-certificates.ts";
import { createDevices } from "./devices.ts";

const digestOf = (bits: number) =>
  keyDigestOf({ publicKey: generateKeyPairSync("rsa", { modulusLength: bits }).publicKey });

test("a name is the same however it is written, and no other", () => {
  const shown = "C=DE\nO=Clinic\\, North\nCN=CT1";
  for (const written of ["CN=CT1,O=Clinic\\, North,C=DE", " cn = CT1 , o=Clinic\\, North, c=DE "])
    assert.equal(canonicalName(written), canonicalName(shown));
  for (const other of [
    "CN=CT1,O=Clinic,C=DE",
    "CN=CT1",
    "CN=ct1,O=Clinic\\, North,C=DE",
    "CN=CT1,O=Clinic\\, North,C=DE,OU=x",
  ])
    assert.notEqual(canonicalName(other), canonicalName(shown));
  for (const none of ["", "CT1", "=CT1", "CN=", ",", "CN=a,,CN=b,x"])
    assert.throws(() => canonicalName(none), { code: "invalid" });
});

test("no two lists of parts have one name", () => {
  const value = fc.string({ minLength: 1, maxLength: 8 }).map((text) => text.replace(/[^A-Za-z0-9 ,=\\+]/g, "x"));
  const escaped = (text: string) => text.trim().replace(/[\\,]/g, "\\$&");
  const part = fc.tuple(
    fc.constantFrom("CN", "O", "OU"),
    value.filter((text) => text.trim() !== ""),
  );
  const parts = fc.array(part, { minLength: 1, maxLength: 4 });
  const nameOf = (all: readonly (readonly [string, string])[], between: string) =>
    canonicalName(all.map(([type, text]) => `${type}=${escaped(text)}`).join(between));
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      assert.equal(nameOf(one, ","), nameOf([...one].reverse(), "\n"));
      const isSame =
        JSON.stringify(one.map((each) => `${each[0]}=${each[1].trim()}`).sort()) ===
        JSON.stringify(other.map((each) => `${each[0]}=${each[1].trim()}`).sort());
      assert.equal(nameOf(one, ",") === nameOf(other, "\n"), isSame);
    }),
  );
});

test("what a machine is bound to is proven by that key, or that name from an authority, and nothing by nothing", () => {
  const keyDigest = digestOf(2048);
  const proof: DeviceProof = { keyDigest, name: "CN=CT1" };
  assert.ok(isProven(keyDigest, proof));
  assert.ok(isProven(boundToName("CN=CT1"), proof));
  for (const bound of ["", "CN=CT1", digestOf(2048), boundToName("CN=CT2")])
    assert.equal(isProven(bound, proof), false);
  assert.equal(isProven(boundToName("CN=CT1"), { keyDigest, name: undefined }), false);
  assert.equal(isProven("", { keyDigest: "", name: undefined }), false);
  assert.throws(() => boundToKey("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), { code: "invalid" });
});

test("a device with a certificate comes in with it alone, one without comes in plain alone, and neither makes the other wait", async () => {
  const clock = createVirtualClock();
  const devices = createDevices({ store: createMemoryAccessStore(), clock, random: systemRandom });
  const [ct, elsewhere] = ["a", "b"].map((digit): DeviceProof => ({ keyDigest: digit.repeat(64), name: undefined }));
  assert.ok(ct && elsewhere);
  await devices.add("CT", "10.0.0.1", { certificate: ct.keyDigest });
  await devices.add("PLAIN", "10.0.0.1");
  await devices.add("MOVES", "any", { certificate: elsewhere.keyDigest });
  const admits = async (ae: string, address: string, proof?: DeviceProof) =>
    (await devices.admit(ae, address, proof))?.ae === ae;
  assert.ok(await admits("CT", "::ffff:10.0.0.1", ct));
  assert.ok(await admits("PLAIN", "10.0.0.1"));
  assert.ok(await admits("MOVES", "203.0.113.9", elsewhere));
  assert.deepEqual(
    [
      await admits("CT", "10.0.0.1"),
      await admits("CT", "10.0.0.1", elsewhere),
      await admits("CT", "10.0.0.2", ct),
      await admits("PLAIN", "10.0.0.1", ct),
      await admits("MOVES", "203.0.113.9", ct),
      await admits("MOVES", "any"),
      await admits("NEW", "10.0.0.3", ct),
    ],
    Array(7).fill(false),
  );
  await admits("MOVES", "203.0.113.9");
  assert.deepEqual(await devices.waiting(), []);
  assert.deepEqual(
    [await devices.needsCertificate("MOVES", "203.0.113.9"), await devices.needsCertificate("PLAIN", "10.0.0.1")],
    [true, false],
  );
  assert.ok(await devices.isAnyBoundTo(ct));
  await devices.remove({ ae: "CT" });
  assert.equal(await devices.isAnyBoundTo(ct), false);
});

test("what could never be called, or never come in, is not added", async () => {
  const devices = createDevices({
    store: createMemoryAccessStore(),
    clock: createVirtualClock(),
    random: systemRandom,
  });
  const certificate = "a".repeat(64);
  for (const [address, terms] of [
    ["any", {}],
    ["any", { certificate, port: 104 }],
    ["10.0.0.1", { tls: true, port: 104 }],
    ["somewhere", { certificate }],
  ] as const)
    await assert.rejects(devices.add("CT", address, terms), { code: "invalid" });
  const gone: string[] = [];
  devices.watchChanged(({ ae }) => void gone.push(ae));
  await devices.add("CT", "10.0.0.1");
  await devices.add("CT", "10.0.0.1", { certificate });
  assert.deepEqual(gone, ["CT"], "what was open without it has ended");
});
