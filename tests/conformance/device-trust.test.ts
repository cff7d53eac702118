import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { keyDigestOf } from "#trust/access";
import {
  type DeviceTrust,
  type DeviceTrustSettings,
  openDeviceTrust,
  parseDeviceTrust,
} from "../../apps/server/index.ts";
import {
  type CustomerAuthority,
  customerAuthority,
  type KeyAndCertificate,
  openssl,
} from "../house/customer-authority.ts";
import { has } from "../house/index.ts";

const noOpenssl = has("openssl") ? false : "needs openssl: apt install openssl";

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "lg-trust-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const parts = { clock: systemClock, random: systemRandom, log: silentLog };

function trustIn(
  authority: CustomerAuthority,
  settings: Partial<DeviceTrustSettings> = {},
  clock = systemClock,
): DeviceTrust {
  const all = { authorities: authority.certificate, crl: [], ocsp: "off" as const, ...settings };
  return openDeviceTrust(all, { ...parts, clock });
}

const read = (path: string) => new X509Certificate(readFileSync(path));
const shown = (of: KeyAndCertificate, sent: readonly string[] = [], isVerified = true) => ({
  own: read(of.certificate),
  sent: sent.map(read),
  isVerified,
});
const later = (ms: number) => ({ ...systemClock, now: () => systemClock.now() + ms });

test("an authority of the customer vouches for the name of its certificates, and for no other's", {
  skip: noOpenssl,
}, async (t) => {
  const [folder, elsewhere] = [folderFor(t), folderFor(t)];
  const authority = await customerAuthority(folder);
  const other = await customerAuthority(elsewhere);
  const trust = trustIn(authority);
  const ct = authority.issue("CT1", { subject: "/C=DE/O=Clinic, North/CN=CT1" });
  assert.deepEqual(await trust.proofOf(shown(ct)), {
    keyDigest: keyDigestOf(read(ct.certificate)),
    name: "C=DE,CN=CT1,O=Clinic\\, North",
  });
  const foreign = other.issue("CT1", { subject: "/C=DE/O=Clinic, North/CN=CT1" });
  const isNamed = async (...given: Parameters<typeof shown>) =>
    (await trust.proofOf(shown(...given))).name !== undefined;
  assert.equal(await isNamed(foreign), false, "an authority of the same name is another one");
  assert.equal(await isNamed(foreign, [authority.certificate]), false);
  assert.equal(await isNamed(ct, [], false), false, "what TLS did not verify names nobody");
});

test("a certificate out of its time proves nothing, whoever vouched for it", { skip: noOpenssl }, async (t) => {
  const authority = await customerAuthority(folderFor(t));
  const ended = authority.issue("OLD", { from: "20240101000000Z", to: "20240201000000Z" });
  const coming = authority.issue("NEW", { from: "20980101000000Z", to: "20990101000000Z" });
  for (const trust of [trustIn(authority), openDeviceTrust(undefined, parts)])
    for (const one of [ended, coming]) await assert.rejects(trust.proofOf(shown(one)), /out of its time/);
});

test("what is on the authority's newest list proves nothing; an old list, another's, a changed one or none is as good as that", {
  skip: noOpenssl,
}, async (t) => {
  const [folder, elsewhere] = [folderFor(t), folderFor(t)];
  const authority = await customerAuthority(folder);
  const other = await customerAuthority(elsewhere);
  const [kept, lost] = [authority.issue("CT1"), authority.issue("CT2")];
  const trust = trustIn(authority, { crl: [authority.list()] });
  for (const one of [kept, lost]) await trust.proofOf(shown(one));
  authority.revoke("CT2");
  authority.list();
  await trust.proofOf(shown(kept));
  await assert.rejects(trust.proofOf(shown(lost)), /revoked/);

  const clock = later(2 * 86_400_000);
  await assert.rejects(
    trustIn(authority, { crl: [authority.list()] }, clock).proofOf(shown(kept)),
    /no revocation list/,
  );
  await assert.rejects(trustIn(authority, { crl: [other.list()] }).proofOf(shown(kept)), /no revocation list/);
  await assert.rejects(
    trustIn(authority, { crl: [join(folder, "absent.pem")] }).proofOf(shown(kept)),
    /no revocation list/,
  );
  const changed = join(folder, "changed.der");
  openssl(folder, ["crl", "-in", "list.pem", "-outform", "DER", "-out", changed]);
  assert.ok(await trustIn(authority, { crl: [changed] }).proofOf(shown(kept)), "DER too");
  const bytes = readFileSync(changed);
  bytes[bytes.length - 10] = (bytes.at(-10) ?? 0) ^ 1;
  writeFileSync(changed, bytes);
  await assert.rejects(trustIn(authority, { crl: [changed] }).proofOf(shown(kept)), /no revocation list/);
});

test("an authority between must be vouched for too, and be looked for on the lists", { skip: noOpenssl }, async (t) => {
  const [folder, belowFolder] = [folderFor(t), folderFor(t)];
  const root = await customerAuthority(folder);
  const below = await customerAuthority(belowFolder);
  const machine = below.issue("CT1");
  const between = root.issue("between", { subject: "/CN=Clinic Authority", extensions: "authority", key: below });
  const trust = trustIn(root, { crl: [root.list(), below.list()] });
  assert.equal((await trust.proofOf(shown(machine))).name, undefined, "without it nobody vouches");
  assert.equal((await trust.proofOf(shown(machine, [between.certificate]))).name, "CN=CT1");
  root.revoke("between");
  root.list();
  await assert.rejects(trust.proofOf(shown(machine, [between.certificate])), /revoked/);
});

test("the responder that a certificate names is asked, and believed only when it is the authority's", {
  skip: noOpenssl,
}, async (t) => {
  const authority = await customerAuthority(folderFor(t), { names: "responder" });
  const [kept, lost] = [authority.issue("CT1"), authority.issue("CT2")];
  const ocsp = { ocsp: "when-named" } as const;
  await assert.rejects(trustIn(authority, ocsp).proofOf(shown(kept)), /nothing that can be used/, "nobody answers");
  authority.revoke("CT2");
  const responder = await authority.respond();
  t.after(responder.stop);
  const trust = trustIn(authority, ocsp);
  assert.equal((await trust.proofOf(shown(kept))).name, "CN=CT1");
  await assert.rejects(trust.proofOf(shown(lost)), /calls revoked/);
  responder.stop();
  assert.equal((await trust.proofOf(shown(kept))).name, "CN=CT1", "an answer holds until its end");
});

test("a responder that another authority signs for is not believed", { skip: noOpenssl }, async (t) => {
  const authority = await customerAuthority(folderFor(t), { names: "responder" });
  const folder = folderFor(t);
  const other = await customerAuthority(folder);
  const kept = authority.issue("CT1");
  const impostor = other.issue("responder", { extensions: "responder" });
  const responder = await authority.respond({ signer: impostor });
  t.after(responder.stop);
  await assert.rejects(trustIn(authority, { ocsp: "when-named" }).proofOf(shown(kept)), /can be believed/);
});

test("where a responder is required, a certificate that names none is refused", { skip: noOpenssl }, async (t) => {
  const authority = await customerAuthority(folderFor(t));
  const ct = authority.issue("CT1");
  await assert.rejects(trustIn(authority, { ocsp: "required" }).proofOf(shown(ct)), /names no OCSP responder/);
  assert.ok(await trustIn(authority, { ocsp: "when-named" }).proofOf(shown(ct)));
});

test("settings that say nothing sound refuse the start, and say what is wrong", { skip: noOpenssl }, async (t) => {
  const folder = folderFor(t);
  const bad: readonly [unknown, RegExp][] = [
    ["ca.pem", /must be an object/],
    [{}, /needs authorities/],
    [{ authorities: "ca.pem", ocsp: "maybe" }, /none of required/],
    [{ authorities: "ca.pem", crl: [1] }, /no file or URL/],
    [{ authorities: "ca.pem", trust: true }, /unknown setting trust/],
  ];
  for (const [setting, wrong] of bad) assert.throws(() => parseDeviceTrust(setting, folder), wrong);
  assert.deepEqual(parseDeviceTrust({ authorities: "ca.pem", crl: ["a.crl", "https://ca.example.org/a.crl"] }, "/a"), {
    authorities: "/a/ca.pem",
    crl: ["/a/a.crl", "https://ca.example.org/a.crl"],
    ocsp: "when-named",
  });
  const open = (authorities: string) => openDeviceTrust({ authorities, crl: [], ocsp: "off" }, parts);
  assert.throws(() => open(join(folder, "absent.pem")), /cannot be read/);
  writeFileSync(join(folder, "empty.pem"), "nothing");
  assert.throws(() => open(join(folder, "empty.pem")), /without a certificate/);
  const authority = await customerAuthority(folder);
  assert.throws(() => open(authority.issue("CT1").certificate), /no authority's/);
});
