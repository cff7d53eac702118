// What may be tried on the DICOM port with TLS before anybody knows who it is; and that it is over before a byte of DICOM is read.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "#base/clock";
import { createLog } from "#base/log";
import {
  createDimseDoor,
  type DoorEvent,
  type SecureEntranceOptions,
  secureEntrance,
  storagePolicy,
} from "#doors/dimse";
import { type CustomerAuthority, customerAuthority, type KeyAndCertificate } from "../house/customer-authority.ts";
import { has } from "../house/index.ts";
import { nothingStored, withinBounds } from "./dimse-door.fixture.ts";
import { associateRq, pduTypes, rawPeer } from "./dimse-peer.fixture.ts";

const skip = has("openssl") ? false : "needs openssl: apt install openssl";
let folder: string;
let authority: CustomerAuthority;
let ours: KeyAndCertificate;
let machine: KeyAndCertificate;

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "lg-attack-tls-"));
  authority = await customerAuthority(folder);
  ours = authority.issue("ours");
  machine = authority.issue("machine");
});
after(() => folder && rmSync(folder, { recursive: true, force: true }));

const pem = (path: string) => readFileSync(path, "utf8");

/** A door with TLS alone that knows whoever an authority verified. */
async function secureDoor(t: TestContext, options: Partial<SecureEntranceOptions> = {}) {
  const refused: string[] = [];
  const events: DoorEvent[] = [];
  const door = createDimseDoor({
    callers: { admit: async () => ({ admitted: true, services: nothingStored }) },
    policy: storagePolicy,
    clock: systemClock,
    log: createLog({ sink: () => {}, clock: systemClock }),
    on: (event) => void events.push(event),
  });
  const incoming = secureEntrance({
    own: { key: [pem(ours.key)], cert: [pem(ours.certificate)] },
    authorities: () => [pem(authority.certificate)],
    objection: async ({ isVerified }) => (isVerified ? undefined : "unknown"),
    refused: (reason) => void refused.push(reason),
    clock: systemClock,
    ...options,
  });
  const listener = await door.listen({ host: "127.0.0.1", port: 0 }, incoming);
  t.after(() => listener.close(100));
  return { port: listener.port, refused, events, associations: door.associations };
}

/** OpenSSL's client; `input` goes through what it opened. */
async function client(port: number, words: readonly string[], input = ""): Promise<string> {
  const child = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...words]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (output += bytes.toString()));
  child.stdin.on("error", () => {});
  const closed = new Promise((resolve) => child.once("close", resolve));
  if (input === "") child.stdin.end();
  else {
    for (let tries = 0; tries < 1_000 && !output.includes("Verify return code"); tries++) await sleep(20);
    child.stdin.write(input);
    await Promise.race([closed, sleep(1_000)]);
    child.stdin.end();
  }
  await closed;
  return output;
}

const shown = () => ["-cert", machine.certificate, "-key", machine.key];

test("old versions, weak suites and SHA-1 are answered by an alert", { skip }, async (t) => {
  const { port, refused } = await secureDoor(t);
  const weak = [
    ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
    ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    ["-tls1_2", "-cipher", "AES256-GCM-SHA384"],
    ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"],
    ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"],
    ["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"],
    ["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"],
    ["-tls1_2", "-sigalgs", "ECDSA+SHA1", "-cipher", "ALL:@SECLEVEL=0"],
  ];
  for (const words of weak) {
    const said = await client(port, [...words, ...shown()]);
    assert.match(
      said,
      /alert (protocol version|handshake failure)|no protocols available|no ciphers available/,
      words.join(" "),
    );
    assert.match(said, /Cipher is \(NONE\)/);
  }
  assert.ok(refused.length >= 5);
  assert.match(await client(port, ["-tls1_2", ...shown()]), /Verify return code: (0|19|21)/);
});

test("who shows no certificate, or one that nobody knows, has no byte of DICOM read", { skip }, async (t) => {
  const { port, refused, events } = await secureDoor(t);
  const elsewhere = mkdtempSync(join(tmpdir(), "lg-attack-tls-"));
  t.after(() => rmSync(elsewhere, { recursive: true, force: true }));
  const foreign = (await customerAuthority(elsewhere)).issue("machine");
  const association = associateRq().toString("latin1");
  await client(port, [], association);
  await client(port, ["-cert", foreign.certificate, "-key", foreign.key], association);
  assert.deepEqual(refused, ["a caller without a certificate", "unknown"]);
  assert.deepEqual(events, []);
});

test("plain DICOM on the port with TLS, TLS on the plain port and noise on either end at once", { skip }, async (t) => {
  const { port, refused, events } = await secureDoor(t);
  const plain = await rawPeer(port);
  plain.send(associateRq());
  await plain.closed;
  assert.equal(
    plain.answers.some(({ type }) => type === pduTypes.ac),
    false,
  );
  for (const noise of [
    Buffer.alloc(70_000, 0x16),
    Buffer.from("160301ffff01", "hex"),
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
  ]) {
    const peer = await rawPeer(port);
    peer.send(noise);
    peer.socket.end();
    await peer.closed;
  }
  assert.deepEqual(events, []);
  assert.ok(refused.length >= 1);

  const door = createDimseDoor({
    callers: { admit: async () => assert.fail("nobody asked") },
    policy: storagePolicy,
    clock: systemClock,
    log: createLog({ sink: () => {}, clock: systemClock }),
  });
  const listener = await door.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => listener.close(100));
  assert.match(await client(listener.port, shown()), /Cipher is \(NONE\)/);
});

test("nothing is negotiated anew, and no session is taken up again", { skip }, async (t) => {
  const { port } = await secureDoor(t);
  const again = await client(port, ["-tls1_2", ...shown()], "R\n");
  assert.match(again, /no renegotiation|alert/i);
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const said = await client(port, [version, "-reconnect", ...shown()]);
    assert.doesNotMatch(said, /^Reused,/m, version);
  }
});

test("a handshake that never ends is ended, and however many there are, a machine finds its way in", {
  skip,
}, async (t) => {
  const { port, refused, events } = await secureDoor(t, { handshakeMs: 1_500, handshakesMax: 20 });
  const slow: Socket[] = [];
  await withinBounds(0, async () => {
    for (let i = 0; i < 200; i++) {
      const socket = connect({ host: "127.0.0.1", port });
      socket.on("error", () => {});
      await new Promise((resolve) => socket.once("connect", resolve));
      socket.write(Buffer.from("16030100", "hex"));
      slow.push(socket);
    }
  });
  t.after(() => slow.forEach((socket) => void socket.destroy()));
  await sleep(50);
  assert.ok(slow.filter((socket) => !socket.destroyed).length <= 20);
  assert.ok(refused.includes("too many handshakes at once"));
  const said = await client(port, shown(), associateRq().toString("latin1"));
  assert.match(said, /Verify return code/);
  for (let tries = 0; tries < 1_000 && !events.some(({ kind }) => kind === "opened" || kind === "rejected"); tries++)
    await sleep(20);
  assert.ok(events.length > 0, "the machine was heard");
  for (let tries = 0; tries < 1_000 && slow.some((socket) => !socket.destroyed); tries++) await sleep(20);
  assert.ok(slow.every((socket) => socket.destroyed));
});

test("an examination that fails or never ends lets nobody in and stops nobody else", { skip }, async (t) => {
  let asked = 0;
  const { port, refused, events } = await secureDoor(t, {
    handshakesMax: 3,
    objection: async () => {
      asked++;
      if (asked === 1) throw new Error("a fault of ours");
      if (asked < 6) return new Promise<undefined>(() => {});
      return undefined;
    },
  });
  await client(port, shown(), associateRq().toString("latin1"));
  assert.deepEqual([refused, events], [["a certificate that could not be examined"], []]);
  const held = [1, 2, 3, 4].map(() => client(port, shown(), associateRq().toString("latin1")));
  for (let tries = 0; tries < 1_000 && asked < 5; tries++) await sleep(20);
  assert.equal(asked, 5);
  await client(port, shown(), associateRq().toString("latin1"));
  for (let tries = 0; tries < 1_000 && events.length === 0; tries++) await sleep(20);
  assert.ok(events.length > 0);
  await Promise.all(held);
});
