import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathsOf } from "../../apps/home/index.ts";
import { certificateFor, createRsyslog, type Rsyslog, whyNoRsyslog } from "../../doors/syslog/rsyslog.fixture.ts";
import { newHome, startHouse } from "../house/index.ts";

const skip = whyNoRsyslog();

const acts = (rsyslog: Rsyslog) =>
  rsyslog.received().map(({ xml }) => /csd-code="([a-z.-]+)" codeSystemName="99LEADGLASS"/.exec(xml)?.[1]);

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (isSo()) return;
    await sleep(100);
  }
  assert.fail(what);
}

test("what is done on a server reaches the collector that its home names, over a restart too, and is read by FHIR", {
  skip,
}, async (t) => {
  const home = newHome();
  const identity = certificateFor(["localhost"]);
  const rsyslog = await createRsyslog({ folder: join(home, "..", `${home}-rsyslog`), identity });
  t.after(async () => {
    await rsyslog.kill();
    rmSync(`${home}-rsyslog`, { recursive: true, force: true });
  });
  writeFileSync(join(home, "collector.pem"), identity.cert);
  const syslog = { host: "localhost", port: rsyslog.port, ca: "collector.pem" };
  writeFileSync(join(home, "leadglass.json"), JSON.stringify({ syslog }));

  const first = await startHouse({ home });
  t.after(() => first.remove());
  await until(() => /behind since/.test(first.command(["status"])), "status does not say that the collector is away");
  assert.match(
    first.command(["status"]),
    /collector: is \d+ entries behind since .*: the log collector cannot be reached/,
  );
  await rsyslog.start();
  await until(() => acts(rsyslog).includes("system.start"), "the start of the server did not arrive");
  await first.stop();

  const second = await startHouse({ home });
  t.after(() => second.remove());
  await until(
    () => acts(rsyslog).filter((act) => act === "system.start").length === 2,
    "the second start did not arrive",
  );
  assert.equal(acts(rsyslog).filter((act) => act === "system.stop").length, 1);

  const answer = await second.fetch("/fhir/R4/AuditEvent");
  assert.deepEqual(
    [answer.status, (await answer.json()).resourceType],
    [404, "OperationOutcome"],
    "a program may not read it",
  );
  const anonymous = await second.fetch("/fhir/R4/metadata", { anonymous: true });
  assert.deepEqual([anonymous.status, (await anonymous.json()).issue[0].code], [401, "login"]);
  const found = await asOperator(home, "/fhir/R4/AuditEvent?subtype=system.start");
  assert.equal(found.entry.length, 2);
});

test("a home that names a collector whose authority cannot be read does not start, and says why", async (t) => {
  const home = newHome();
  t.after(() => rmSync(home, { recursive: true, force: true }));
  writeFileSync(join(home, "leadglass.json"), JSON.stringify({ syslog: { host: "localhost", ca: "nowhere.pem" } }));
  await assert.rejects(startHouse({ home }), /ca of syslog cannot be read/);
});

/** Over the control socket, as the command does it. */
function asOperator(home: string, path: string): Promise<{ readonly entry: readonly unknown[] }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: pathsOf(home).controlSocket, path }, (answer) => {
      let text = "";
      answer.on("data", (bytes: Buffer) => {
        text += bytes.toString();
      });
      answer.on("end", () => resolve(JSON.parse(text)));
    });
    call.on("error", reject);
    call.end();
  });
}
