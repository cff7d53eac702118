import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { makeCertificates } from "./certificates.ts";
import { type CollectorSettings, parseCollector, startLogCollector } from "./log-collector.ts";

const refuses = (setting: unknown, what: RegExp) =>
  assert.throws(
    () => parseCollector(setting),
    (error: unknown) =>
      isProblem(error, "invalid") && what.test(error.message) && /leadglass\.json/.test(error.remedy ?? ""),
  );

test("a collector is its host and its authority; the port of syslog over TLS is taken where none is named", () => {
  assert.equal(parseCollector(undefined), undefined);
  assert.deepEqual(parseCollector({ host: "logs.example.org", ca: "ca.pem" }), {
    host: "logs.example.org",
    port: 6514,
    ca: "ca.pem",
  });
  const own = { host: "10.0.0.7", port: 10514, ca: "ca.pem", cert: "c.pem", key: "k.pem" };
  assert.deepEqual(parseCollector(own), {
    host: "10.0.0.7",
    port: 10514,
    ca: "ca.pem",
    identity: { cert: "c.pem", key: "k.pem" },
  });
});

test("a start with a collector that would not be proven, or is misspelt, is refused with what is wrong", () => {
  refuses({ host: "logs.example.org" }, /needs a ca/);
  refuses({ ca: "ca.pem" }, /needs a host/);
  refuses({ host: "a b", ca: "ca.pem" }, /needs a host/);
  refuses({ host: "https://logs.example.org", ca: "ca.pem" }, /needs a host/);
  refuses({ host: "logs", ca: "ca.pem", port: 0 }, /port/);
  refuses({ host: "logs", ca: "ca.pem", port: "6514" }, /port/);
  refuses({ host: "logs", ca: "ca.pem", cert: "c.pem" }, /cert and key together/);
  refuses({ host: "logs", ca: "ca.pem", tls: false }, /unknown setting tls/);
  refuses("logs.example.org", /object/);
  refuses(null, /object/);
});

async function filesOf(t: TestContext) {
  const home = mkdtempSync(join(tmpdir(), "leadglass-collector-"));
  t.after(() => rmSync(home, { recursive: true }));
  const [one, other] = await Promise.all([1, 2].map(() => makeCertificates(["localhost"], systemClock, systemRandom)));
  assert.ok(one !== undefined && other !== undefined);
  writeFileSync(join(home, "ca.pem"), one.ca);
  writeFileSync(join(home, "cert.pem"), one.certificate);
  writeFileSync(join(home, "key.pem"), one.key);
  writeFileSync(join(home, "other.pem"), other.key);
  writeFileSync(join(home, "text.pem"), "no certificate");
  const audit = { size: () => 0, entries: async () => [] } as never;
  return (settings: Partial<CollectorSettings>) =>
    startLogCollector({
      settings: { host: "localhost", port: 6514, ca: "ca.pem", ...settings },
      ...{ home, audit, logName: "leadglass.log/0", aeTitle: "LEADGLASS", log: silentLog },
    });
}

test("certificates and keys are looked at before the log is sent anywhere", async (t) => {
  const start = await filesOf(t);
  const refused = (settings: Partial<CollectorSettings>, what: RegExp) =>
    assert.rejects(start(settings), (error: unknown) => isProblem(error, "invalid") && what.test(error.message));
  await refused({ ca: "nowhere.pem" }, /ca of syslog cannot be read/);
  await refused({ ca: "text.pem" }, /ca of syslog is no certificate/);
  await refused({ identity: { cert: "text.pem", key: "key.pem" } }, /cert of syslog is no certificate/);
  await refused({ identity: { cert: "cert.pem", key: "other.pem" } }, /not the key of its cert/);
  await refused({ identity: { cert: "cert.pem", key: "text.pem" } }, /not the key of its cert/);
  const sender = await start({ identity: { cert: "cert.pem", key: "key.pem" } });
  await sender.close();
});
