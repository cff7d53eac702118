// Row 92 of the attack table: a peer with a certificate that must not be believed is told nothing, wherever we are the one who calls. Where
// machines call us by certificate, nobody vouches for it: it is known by its thumbprint (doors/oauth).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, createServer } from "node:tls";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { startSyslogSender } from "#doors/syslog";
import { type Certificates, makeBadCertificates, type Presented } from "./bad-certificates.fixture.ts";

let certificates: Certificates;
before(async () => {
  certificates = await makeBadCertificates();
});

/** A peer with that certificate; `heard` is what it was told. */
async function peerWith(t: TestContext, { key, cert }: Presented, answer = "") {
  const heard: string[] = [];
  // Anything goes on its side: who calls has to refuse.
  const server = createServer({ key, cert, ciphers: "DEFAULT@SECLEVEL=0" }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      heard.push(bytes.toString("latin1"));
      if (answer !== "") socket.end(answer);
    });
    socket.on("end", () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return { heard, port: address.port };
}

test("the certificates differ in their one fault: who checks nothing takes each of them", async (t) => {
  assert.ok(certificates.bad.length >= 15);
  for (const { what, ...presented } of [{ what: "is good", ...certificates.good }, ...certificates.bad]) {
    const { port } = await peerWith(t, presented);
    await new Promise<void>((resolve, reject) => {
      const socket = connect(
        { port, host: "localhost", rejectUnauthorized: false, ciphers: "DEFAULT@SECLEVEL=0" },
        () => resolve(void socket.destroy()),
      );
      socket.on("error", (error) => reject(new Error(`${what}: ${error.message}`)));
    });
  }
});

test("attack 92: the key service is asked nothing when its certificate is bad", { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lg-ca-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, certificates.authority);
  const body = JSON.stringify({ CiphertextBlob: Buffer.alloc(64).toString("base64") });
  const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const rows = [{ what: "is good", ...certificates.good }, ...certificates.bad];
  const peers = await Promise.all(rows.map((row) => peerWith(t, row, answer)));
  const program = join(import.meta.dirname, "kms-caller.fixture.ts");
  const child = spawn(process.execPath, [program, ...peers.map(({ port }) => String(port))], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: ca },
  });
  let printed = "";
  child.stdout.on("data", (bytes: Buffer) => (printed += bytes.toString()));
  await new Promise((resolve) => child.once("close", resolve));
  const outcomes = JSON.parse(printed) as string[];
  for (const [at, { what }] of rows.entries()) {
    if (at === 0) assert.equal(outcomes[at], "taken", what);
    else {
      assert.notEqual(outcomes[at], "taken", `a certificate that ${what}`);
      assert.deepEqual(peers[at]?.heard, [], `a certificate that ${what}`);
    }
  }
});

test("attack 92: the log collector is told nothing when its certificate is bad", async (t) => {
  const begin = (port: number) => {
    let saved: unknown;
    const sender = startSyslogSender({
      audit: {
        size: () => 1,
        entries: async () => [{ actor: "user:u1", act: "study.view", outcome: "done", at: 1 }] as never,
      },
      collector: { host: "localhost", port, ca: certificates.authority },
      source: { log: "leadglass.log/00112233aabbccdd", aeTitle: "LEADGLASS" },
      names: { hostname: "localhost", processId: 1 },
      kept: {
        load: async () => saved,
        async save(value: unknown) {
          saved = value;
        },
      } as never,
      clock: systemClock,
      log: silentLog,
    });
    t.after(() => sender.close());
    return sender;
  };
  const good = await peerWith(t, certificates.good);
  begin(good.port);
  for (const { what, ...presented } of certificates.bad) {
    const { port, heard } = await peerWith(t, presented);
    const sender = begin(port);
    for (let tries = 0; tries < 1_000 && sender.state().error === undefined; tries++) await sleep(20);
    assert.notEqual(sender.state().error, undefined, `a certificate that ${what}`);
    assert.deepEqual(heard, [], `a certificate that ${what}`);
  }
  for (let tries = 0; tries < 1_000 && good.heard.length === 0; tries++) await sleep(20);
  assert.notDeepEqual(good.heard, [], "the good one is told");
});
