import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type CustomerAuthority,
  customerAuthority,
  type KeyAndCertificate,
  openssl,
} from "../house/customer-authority.ts";
import { freePort, has, newHome, type RunningHouse, startHouse } from "../house/index.ts";

/*
 * DICOM over TLS with real peers: DCMTK and OpenSSL against a server as a person starts it, whose clinic has an authority of its own.
 */
const missing = ["echoscu", "storescp", "openssl"].filter((program) => !has(program));
const skip = missing.length > 0 ? `needs ${missing.join(", ")}: apt install dcmtk openssl` : false;
let house: RunningHouse;
let folder: string;
let clinic: CustomerAuthority;

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "lg-tls-"));
  const home = newHome();
  mkdirSync(join(folder, "clinic"));
  clinic = await customerAuthority(join(folder, "clinic"), { names: "responder" });
  const dicomTls = { authorities: clinic.certificate, crl: clinic.list(), ocsp: "off" };
  writeFileSync(join(home, "leadglass.json"), JSON.stringify({ dicomTls }));
  house = await startHouse({ home, environment: { LEADGLASS_DICOM_TLS_PORT: "0" } });
});
after(async () => {
  await house?.remove();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

const port = () => String(house.dicomTls);
const ourCa = () => join(house.home, "dicom-ca.pem");

function add(ae: string, ...words: string[]): void {
  house.command(["device", "add", ae, "--address", "127.0.0.1", ...words]);
}

/** A machine that was given its certificate by `leadglass device add`. */
function given(ae: string, ...words: string[]): KeyAndCertificate {
  const at = join(folder, ae);
  add(ae, "--certificate", at, ...words);
  return { key: join(at, "key.pem"), certificate: join(at, "certificate.pem") };
}

async function run(program: string, words: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(program, words, { env: { ...process.env, TCP_NODELAY: "1" }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (output += bytes.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}

async function echo(ae: string, { key, certificate }: KeyAndCertificate, ...more: string[]): Promise<boolean> {
  const names = ["-aet", ae, "-aec", "LEADGLASS", "-to", "5", "-ta", "5"];
  const { code } = await run("echoscu", [
    "+tls",
    key,
    certificate,
    "+cf",
    ourCa(),
    ...names,
    ...more,
    "127.0.0.1",
    port(),
  ]);
  return code === 0;
}

async function plainEcho(
  ae: string,
  to: number | string = house.dicom,
): Promise<{ code: number | null; output: string }> {
  return run("echoscu", ["-aet", ae, "-aec", "LEADGLASS", "-to", "5", "-ta", "5", "127.0.0.1", String(to)]);
}

/** A handshake of OpenSSL's client: what it says of it. */
async function handshake(...words: string[]): Promise<string> {
  const { output } = await run("openssl", [
    "s_client",
    "-connect",
    `127.0.0.1:${port()}`,
    "-CAfile",
    ourCa(),
    ...words,
  ]);
  return output;
}

test("a machine gets its key and certificate once, and comes in under every profile that BCP 195 leaves", {
  skip,
}, async () => {
  const ct = given("CT1");
  assert.equal(statSync(ct.key).mode & 0o777, 0o600);
  for (const profile of ["+py", "+px", "+pz"]) assert.ok(await echo("CT1", ct, profile), profile);
  for (const suite of ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"]) {
    const said = await handshake("-cert", ct.certificate, "-key", ct.key, "-tls1_2", "-cipher", suite);
    assert.match(said, new RegExp(`Cipher is ${suite}`));
    assert.match(said, /Verify return code: 0/);
  }
  assert.match(
    await handshake("-cert", ct.certificate, "-key", ct.key, "-tls1_3"),
    /TLSv1.3, Cipher is TLS_AES_256_GCM/,
  );
  const again = house.tryCommand([
    "device",
    "add",
    "CT1",
    "--address",
    "127.0.0.1",
    "--certificate",
    join(folder, "CT1"),
  ]);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /key in that folder/);
});

test("a machine with a certificate comes in with that alone: not without TLS, not under another title, not after it is removed", {
  skip,
}, async () => {
  const [one, other] = [given("MR1"), given("MR2")];
  assert.ok(await echo("MR1", one));
  assert.equal(await echo("MR1", other), false, "another's certificate");
  assert.match((await plainEcho("MR1")).output, /Calling AE Title Not Recognized/);
  add("PLAIN");
  assert.equal((await plainEcho("PLAIN")).code, 0);
  assert.equal(await echo("PLAIN", one), false, "one without a certificate does not come in with another's");
  const renewed = join(folder, "MR1-renewed");
  add("MR1", "--certificate", renewed);
  assert.equal(await echo("MR1", one), false, "the former one is at its end");
  const newer = { key: join(renewed, "key.pem"), certificate: join(renewed, "certificate.pem") };
  assert.ok(await echo("MR1", newer));
  house.command(["device", "remove", "MR1"]);
  assert.equal(await echo("MR1", newer), false);
  assert.match(house.output(), /a certificate that is no machine's, from 127\.0\.0\.1/);
});

test("a key need not leave its machine: its request is certified", { skip }, async () => {
  const at = join(folder, "US1");
  mkdirSync(at);
  openssl(at, ["genrsa", "-out", "own.key", "2048"]);
  openssl(at, ["req", "-new", "-key", "own.key", "-subj", "/CN=whatever", "-out", "own.csr"]);
  add("US1", "--certificate", at, "--certificate-request", join(at, "own.csr"));
  const certificate = join(at, "certificate.pem");
  assert.ok(await echo("US1", { key: join(at, "own.key"), certificate }));
  assert.match(openssl(at, ["x509", "-in", certificate, "-noout", "-subject"]), /CN = US1/);
  openssl(at, ["genrsa", "-out", "weak.key", "1024"]);
  openssl(at, ["req", "-new", "-key", "weak.key", "-subj", "/CN=weak", "-out", "weak.csr"]);
  const weak = ["--certificate", at, "--certificate-request", join(at, "weak.csr")];
  const refused = house.tryCommand(["device", "add", "US2", "--address", "127.0.0.1", ...weak]);
  assert.match(refused.stderr, /too weak/);
});

test("a machine is known by the certificate that it has, from anywhere if so said", { skip }, async () => {
  const at = join(folder, "own");
  mkdirSync(at);
  const own = "req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.pem -subj /CN=vendor -days 2".split(" ");
  openssl(at, own);
  const machine = { key: join(at, "own.key"), certificate: join(at, "own.pem") };
  assert.equal(await echo("OWN", machine), false);
  house.command(["device", "add", "OWN", "--address", "any", "--trust", machine.certificate]);
  assert.ok(await echo("OWN", machine));
  const bad = house.tryCommand(["device", "add", "OWN2", "--address", "any"]);
  assert.match(bad.stderr, /needs a certificate/);
});

test("the clinic's authority names machines: by subject alone, unless it revoked them or TLS was not verified", {
  skip,
}, async () => {
  const [kept, lost] = [clinic.issue("XA1", { subject: "/C=DE/O=Clinic/CN=XA1" }), clinic.issue("XA2")];
  house.command(["device", "add", "XA1", "--address", "any", "--subject", "CN=XA1, O=Clinic, C=DE"]);
  house.command(["device", "add", "XA2", "--address", "any", "--subject", "CN=XA2"]);
  assert.ok(await echo("XA1", kept));
  assert.ok(await echo("XA2", lost));
  clinic.revoke("XA2");
  clinic.list();
  assert.equal(await echo("XA2", lost), false);
  assert.ok(await echo("XA1", kept));
  const ended = clinic.issue("XA3", { subject: "/CN=XA2", from: "20240101000000Z", to: "20240201000000Z" });
  const forServers = clinic.issue("XA4", { subject: "/CN=XA2", extensions: "server" });
  mkdirSync(join(folder, "impostor"));
  const impostor = (await customerAuthority(join(folder, "impostor"))).issue("XA1", {
    subject: "/C=DE/O=Clinic/CN=XA1",
  });
  assert.equal(await echo("XA2", ended), false);
  assert.equal(await echo("XA2", forServers), false, "a certificate for servers alone");
  assert.equal(await echo("XA1", impostor), false);
});

test("we call a machine over TLS with our certificate, and none that shows another key", { skip }, async () => {
  const receiver = given("SCP1");
  const listenAt = await freePort();
  const received = join(folder, "received");
  mkdirSync(received);
  const required = ["-rc", "+cf", ourCa(), "+tls", receiver.key, receiver.certificate];
  const child = spawn("storescp", [...required, "-aet", "SCP1", "-od", received, String(listenAt)], {
    stdio: "ignore",
  });
  try {
    await listening(listenAt);
    add("SCP1", "--port", String(listenAt), "--tls");
    assert.match(house.command(["device", "echo", "SCP1"]), /answered/);
    const other = given("SCP2", "--port", String(listenAt), "--tls");
    assert.ok(other);
    assert.match(house.tryCommand(["device", "echo", "SCP2"]).stderr, /not that of the machine/);
    add("SCP3", "--port", String(listenAt));
    assert.equal(house.tryCommand(["device", "echo", "SCP3"]).status, 1, "a machine that speaks TLS, called without");
    const without = house.tryCommand(["device", "add", "SCP4", "--address", "127.0.0.1", "--port", "104", "--tls"]);
    assert.match(without.stderr, /needs a certificate/);
  } finally {
    child.kill();
  }
});

async function listening(at: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const { code } = await run("bash", ["-c", `exec 3<>/dev/tcp/127.0.0.1/${at}`]);
    if (code === 0) return;
    await sleep(50);
  }
  throw new Error("storescp does not listen");
}

test("the certificate that we show stays over a restart, and so do those of machines", { skip }, async () => {
  const before = readFileSync(ourCa(), "utf8");
  const ct = { key: join(folder, "CT1", "key.pem"), certificate: join(folder, "CT1", "certificate.pem") };
  const { home } = house;
  await house.stop();
  house = await startHouse({ home, environment: { LEADGLASS_DICOM_TLS_PORT: "0" } });
  assert.equal(readFileSync(ourCa(), "utf8"), before);
  assert.ok(await echo("CT1", ct));
  assert.match(house.command(["status"]), new RegExp(`over TLS ${house.dicomTls}`));
});
