import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer as createPlainServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer, type TLSSocket } from "node:tls";
import { systemClock } from "#base/clock";
import type { KeptJson } from "#base/io";
import { silentLog } from "#base/log";
import { certificateFor } from "./rsyslog.fixture.ts";
import { startSyslogSender } from "./sender.ts";

const skip = spawnSync("openssl", ["version"]).status === 0 ? false : "needs openssl: apt install openssl";
const identity = skip ? { cert: "", key: "" } : certificateFor(["localhost"]);
const log = "leadglass.log/00112233aabbccdd";

async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}

/** A collector that reads, and closes when the sender has. */
async function collectorOf(t: TestContext, onConnection: (socket: TLSSocket, text: () => string) => void = () => {}) {
  const texts: string[] = [];
  const server = createServer({ ...identity, allowHalfOpen: false }, (socket) => {
    const at = texts.push("") - 1;
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      texts[at] += bytes.toString("utf8");
    });
    onConnection(socket, () => texts[at] ?? "");
  });
  return { port: await listen(t, server), texts };
}

const numbersIn = (text: string) => [...text.matchAll(/entry (\d+) of/g)].map(([, number]) => Number(number));

function sendTo(
  t: TestContext,
  port: number,
  options: { entries: number; kept?: unknown; save?: () => Promise<void> },
) {
  let read = 0;
  let saved: unknown = options.kept;
  const kept: KeptJson = {
    load: async () => saved,
    save: async (value) => {
      await options.save?.();
      saved = value;
    },
  };
  const entry = { actor: "user:u1", act: "study.view", outcome: "done" } as const;
  const sender = startSyslogSender({
    audit: {
      size: () => options.entries,
      entries: async (from, to) => {
        read = Math.max(read, to);
        return Array.from({ length: to - from }, (_, at) => ({ ...entry, at: from + at }));
      },
    },
    collector: { host: "localhost", port, ca: identity.cert },
    source: { log, aeTitle: "LEADGLASS" },
    names: { hostname: "localhost", processId: 1 },
    kept,
    clock: systemClock,
    log: silentLog,
  });
  t.after(() => sender.close());
  return { sender, read: () => read, saved: () => saved };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !isSo(); tries++) await sleep(25);
  assert.ok(isSo(), "it did not happen in time");
}

test("a collector that reads nothing holds the reading of the log back", { skip }, async (t) => {
  const { port } = await collectorOf(t, (socket) => socket.pause());
  const { sender, read } = sendTo(t, port, { entries: 1_000_000 });
  await until(() => read() > 0);
  for (let before = -1; before < read(); await sleep(200)) before = read();
  assert.ok(read() < 50_000, `${read()} entries were read for a collector that takes none`);
  assert.equal(sender.state().position, 0);
});

test("what a collector took without closing in order is sent again", { skip }, async (t) => {
  const { port, texts } = await collectorOf(t, (socket, text) => {
    socket.on("data", () => texts.length === 1 && numbersIn(text()).length >= 10 && socket.destroy());
  });
  const { sender } = sendTo(t, port, { entries: 20 });
  await until(() => sender.state().behind === 0);
  assert.equal(numbersIn(texts[0] ?? "")[0], 0);
  assert.deepEqual(
    numbersIn(texts[1] ?? ""),
    Array.from({ length: 20 }, (_, at) => at),
  );
});

test("a collector that speaks no TLS gets not one byte of the log", { skip }, async (t) => {
  let heard = "";
  const server = createPlainServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      heard += bytes.toString("latin1");
      socket.end("hello");
    });
  });
  const { sender } = sendTo(t, await listen(t, server), { entries: 5 });
  await until(() => sender.state().error !== undefined);
  assert.match(sender.state().error?.message ?? "", /refused the TLS connection/);
  assert.doesNotMatch(heard, /AuditMessage/);
});

test("a position of another log counts for nothing, one beyond the log's end is its end", { skip }, async (t) => {
  const { port, texts } = await collectorOf(t);
  const other = sendTo(t, port, { entries: 3, kept: { log: "leadglass.log/other", position: 2 } });
  await until(() => other.sender.state().behind === 0 && other.sender.state().position === 3);
  assert.deepEqual(numbersIn(texts[0] ?? ""), [0, 1, 2]);
  const restored = sendTo(t, port, { entries: 3, kept: { log, position: 9 } });
  await until(() => restored.sender.state().position === 3);
  assert.equal(texts.length, 1);
});

test("a position that cannot be kept is told, and the log goes on", { skip }, async (t) => {
  const { port, texts } = await collectorOf(t);
  const { sender, saved } = sendTo(t, port, {
    entries: 3,
    save: () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" })),
  });
  await until(() => sender.state().error !== undefined);
  assert.match(sender.state().error?.message ?? "", /no room left/);
  assert.equal(sender.state().behind, 0);
  assert.equal(saved(), undefined);
  assert.deepEqual(numbersIn(texts.join("")), [0, 1, 2]);
});

test("each frame begins with its length in octets, whatever its text is", { skip }, async (t) => {
  const { port, texts } = await collectorOf(t);
  const { sender } = sendTo(t, port, { entries: 4 });
  await until(() => sender.state().behind === 0);
  let bytes = Buffer.from(texts.join(""));
  for (let frames = 0; bytes.length > 0; frames++) {
    const [length = ""] = /^\d+(?= )/.exec(bytes.toString("utf8")) ?? [];
    const frame = bytes.subarray(length.length + 1, length.length + 1 + Number(length)).toString("utf8");
    assert.match(frame, /^<85>1 \S+ localhost leadglass 1 DICOM\+RFC3881 - \u{feff}<AuditMessage>.*<\/AuditMessage>$/u);
    assert.match(frame, new RegExp(`entry ${frames} of`));
    bytes = bytes.subarray(length.length + 1 + Number(length));
  }
});
