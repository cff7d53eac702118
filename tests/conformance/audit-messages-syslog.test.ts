import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "#base/clock";
import { createKeptJson, systemFiles } from "#base/io";
import { silentLog } from "#base/log";
import { type Collector, startSyslogSender } from "#doors/syslog";
import { type AuditEntry, actsWithKind, eventKindOf, type MessageType, messageCodes } from "#trust/audit";
import {
  certificateFor,
  createRsyslog,
  type Rsyslog,
  sendEvents,
  whyNoRsyslog,
} from "../../doors/syslog/rsyslog.fixture.ts";
import { faultsIn, whyNoXmllint } from "./audit-schema.fixture.ts";

const skip = whyNoRsyslog() || whyNoXmllint;
const source = { log: "leadglass.log/00112233aabbccdd", aeTitle: "LEADGLASS" };

async function setUp(t: TestContext, names = ["localhost"], callers?: string) {
  const folder = mkdtempSync(join(tmpdir(), "leadglass-syslog-"));
  const theirs = certificateFor(names);
  const rsyslog = await createRsyslog({
    folder: join(folder, "rsyslog"),
    identity: theirs,
    ...(callers !== undefined && { callers }),
  });
  const collector: Collector = { host: "localhost", port: rsyslog.port, ca: theirs.cert };
  const entries: AuditEntry[] = [];
  const open: { close(): Promise<void> }[] = [];
  t.after(async () => {
    for (const one of open) await one.close();
    await rsyslog.kill();
    rmSync(folder, { recursive: true });
  });
  const send = (to: Collector = collector) => {
    const sender = startSyslogSender({
      audit: { size: () => entries.length, entries: async (from, until) => entries.slice(from, until) },
      collector: to,
      source,
      names: { hostname: "localhost", processId: 1 },
      kept: createKeptJson(systemFiles, folder, "syslog.json"),
      clock: systemClock,
      log: silentLog,
    });
    open.push(sender);
    return sender;
  };
  const append = (count: number) => {
    for (let i = 0; i < count; i++)
      entries.push({ at: entries.length, actor: "user:u1", act: "study.view", outcome: "done" });
  };
  return { rsyslog, collector, entries, append, send, folder };
}

const until = async (isSo: () => boolean, what: string) => {
  for (let tries = 0; tries < 600; tries++) {
    if (isSo()) return;
    await sleep(50);
  }
  assert.fail(what);
};

const entryOf = (xml: string) => Number(/entry (\d+) of/.exec(xml)?.[1]);
const numbersIn = (rsyslog: Rsyslog) => rsyslog.received().map(({ xml }) => entryOf(xml));

test("a collector over TLS gets all 15 message types, valid, in the order of the log", { skip }, async (t) => {
  const { rsyslog, collector, entries, send } = await setUp(t);
  await rsyslog.start();
  for (const [at, act] of actsWithKind.entries()) {
    entries.push({ at, actor: "user:u1", act, on: { kind: "study", id: `s${at}` }, outcome: "done" });
  }
  const sender = send();
  await until(() => sender.state().behind === 0, "the log was not sent");
  assert.deepEqual(numbersIn(rsyslog), [...entries.keys()]);
  // No act makes it yet.
  const order = { message: "order-record", action: "C" } as const;
  const event = {
    kind: order,
    at: 1,
    actor: "user:ü",
    act: "order.place",
    outcome: "done",
    on: { kind: "order", id: "o1" },
  } as const;
  await sendEvents([event], collector, source);
  const received = rsyslog.received();
  assert.equal(faultsIn(received.map(({ xml }) => xml)), "");
  for (const type of Object.keys(messageCodes) as MessageType[]) {
    const id = `<EventID csd-code="${messageCodes[type].code}"`;
    assert.ok(
      received.some(({ xml }) => xml.includes(id)),
      type,
    );
  }
  for (const { priority, appName, messageId } of received) {
    assert.deepEqual([priority, appName, messageId], ["85", "leadglass", "DICOM+RFC3881"]);
  }
  assert.match(received.at(-1)?.xml ?? "", /UserID="user:ü"/);
  assert.equal(eventKindOf({ act: "audit.read", outcome: "done" }).message, "audit-log-used");
});

test("a collector that is killed and started again misses nothing, and what came meanwhile comes too", {
  skip,
}, async (t) => {
  const { rsyslog, append, entries, send } = await setUp(t);
  await rsyslog.start();
  const sender = send();
  append(400);
  await until(() => numbersIn(rsyslog).length > 50, "nothing arrived");
  await rsyslog.kill();
  append(2_000);
  await until(() => sender.state().error !== undefined, "the dead collector was not noticed");
  assert.match(sender.state().error?.message ?? "", /log collector/);
  append(600);
  await rsyslog.start();
  await until(() => sender.state().behind === 0, "it did not catch up");
  const numbers = numbersIn(rsyslog);
  assert.deepEqual([...new Set(numbers)], [...entries.keys()], "each entry, first seen in order");
  assert.equal(sender.state().error, undefined);
});

test("after a restart of the server the log goes on where the collector had confirmed it", { skip }, async (t) => {
  const { rsyslog, append, send } = await setUp(t);
  await rsyslog.start();
  append(30);
  const first = send();
  await until(() => first.state().behind === 0, "the log was not sent");
  await first.close();
  append(20);
  const second = send();
  await until(() => second.state().behind === 0, "the log was not sent");
  assert.deepEqual(
    numbersIn(rsyslog),
    Array.from({ length: 50 }, (_, at) => at),
  );
});

test("a collector whose certificate is from another authority gets nothing, and the reason is told", {
  skip,
}, async (t) => {
  const { rsyslog, append, collector, send } = await setUp(t);
  await rsyslog.start();
  append(5);
  const sender = send({ ...collector, ca: certificateFor(["localhost"]).cert });
  await until(() => sender.state().error !== undefined, "it was not refused");
  assert.match(sender.state().error?.message ?? "", /not from the authority/);
  assert.equal(sender.state().behind, 5);
  assert.deepEqual(rsyslog.received(), []);
});

test("a collector whose certificate is for another name gets nothing, and the reason is told", { skip }, async (t) => {
  const { rsyslog, append, send } = await setUp(t, ["collector.example"]);
  await rsyslog.start();
  append(5);
  const sender = send();
  await until(() => sender.state().error !== undefined, "it was not refused");
  assert.match(sender.state().error?.message ?? "", /for another name/);
  assert.deepEqual(rsyslog.received(), []);
});

test("a collector that asks for a certificate gets the log from who has one, and nothing from others", {
  skip,
}, async (t) => {
  const ours = certificateFor(["leadglass"]);
  const { rsyslog, append, collector, send } = await setUp(t, ["localhost"], ours.cert);
  await rsyslog.start();
  append(5);
  const unknown = send();
  await until(() => unknown.state().error !== undefined, "it was not refused");
  assert.equal(unknown.state().position, 0);
  await unknown.close();
  assert.deepEqual(rsyslog.received(), []);
  const known = send({ ...collector, identity: ours });
  await until(() => known.state().behind === 0, "the log was not sent");
  assert.deepEqual(numbersIn(rsyslog), [0, 1, 2, 3, 4]);
});
