import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { createLog, silentLog } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import { createMemoryEntryStore } from "#stores/memory";
import { type AuditLog, createAuditLog, createCosigner, createWitness } from "#trust/audit";
import { type AskWitness, createCosigning, parseWitnesses } from "./witnesses.ts";

const cosigner = createCosigner("witness.test/1", Buffer.alloc(32, 9));
const key = cosigner.verifierKey();
const settings = parseWitnesses([{ url: "https://witness.test/here/", key }], "/home");
const entry = { actor: "system", act: "system.start", outcome: "done" } as const;

async function opened(answering?: (ask: AskWitness) => AskWitness) {
  const clock = createVirtualClock();
  const lines: string[] = [];
  const log = createLog({ sink: (line) => lines.push(line), clock });
  const audit = await createAuditLog({
    store: createMemoryEntryStore(),
    ...{ signingSeed: Buffer.alloc(32, 3), origin: "log.test/1", clock },
  });
  const kept = new Map<string, string>();
  const record = {
    read: async (name: string) => kept.get(name),
    write: async (name: string, note: string) => void kept.set(name, note),
  };
  const witness = await createWitness({ cosigner, logKeys: [audit.verifierKey()], record, clock });
  const bodies: string[] = [];
  const asked: AskWitness = async (_setting, body) => {
    bodies.push(body.slice(0, body.indexOf("\n")));
    return witness.addCheckpoint(Buffer.from(body));
  };
  const cosigning = createCosigning({ audit, settings, clock, log, ask: answering?.(asked) ?? asked });
  return { clock, lines, audit, bodies, cosigning, ask: asked };
}

async function grow(audit: AuditLog, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await audit.append(entry);
  await audit.checkpoint();
}

/** Lets what waits on nothing but promises run to its end. */
const settled = async () => {
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
};

test("each checkpoint is signed by the witness soon after, with a proof from the one before, and none is asked for twice", async () => {
  const { clock, audit, bodies, cosigning } = await opened();
  cosigning.start();
  for (const _ of [1, 2, 3]) {
    await grow(audit, 7);
    clock.advance(5_000);
    await settled();
    assert.match(audit.latestCheckpoint()?.note ?? "", /witness\.test\/1/);
    clock.advance(5_000);
    await settled();
  }
  assert.deepEqual(bodies, ["old 0", "old 7", "old 14"]);
  assert.deepEqual(cosigning.view(), [
    { name: "witness.test/1", state: "signed", signedEntries: 21, signedAt: 1_700_000_025_000 },
  ]);
  await cosigning.stop();
});

test("a log that was started again learns from the witness what it knows", async () => {
  const { clock, audit, bodies, cosigning, ask } = await opened();
  await grow(audit, 7);
  await cosigning.settle();
  await grow(audit, 7);
  const again = createCosigning({ audit, settings, clock, log: silentLog, ask });
  await again.settle();
  assert.deepEqual(bodies, ["old 0", "old 0", "old 7"]);
  assert.equal(again.view()[0]?.signedEntries, 14);
  const third = createCosigning({ audit, settings, clock, log: silentLog, ask });
  assert.deepEqual(third.view(), again.view());
  await grow(audit, 7);
  await third.settle();
  assert.equal(bodies.at(-1), "old 14");
});

test("a witness that is away is asked less and less, told of once, and signs again when it is back", async () => {
  let away = true;
  let asked = 0;
  const { clock, audit, lines, cosigning } = await opened((ask) => async (setting, body) => {
    asked++;
    if (away) throw new Problem("unavailable", "no");
    return ask(setting, body);
  });
  await grow(audit, 3);
  cosigning.start();
  for (let seconds = 0; seconds < 600; seconds += 5) {
    clock.advance(5_000);
    await settled();
  }
  assert.ok(asked >= 5 && asked <= 9, String(asked));
  assert.equal(lines.length, 1);
  assert.equal(cosigning.view()[0]?.state, "away");
  away = false;
  await cosigning.settle();
  assert.equal(cosigning.view()[0]?.state, "signed");
  assert.match(lines[1] ?? "", /signs again/);
  await cosigning.stop();
});

test("a witness that knows a larger tree, another one, or another beginning is an alarm, and told of as long as it does", async () => {
  const wrongs: { status: number; body: string }[] = [
    { status: 409, body: "99\n" },
    { status: 409, body: "0\n" },
    { status: 422, body: "no\n" },
  ];
  for (const wrong of wrongs) {
    const { audit, lines, cosigning } = await opened(() => async () => wrong);
    await grow(audit, 3);
    await cosigning.settle();
    await cosigning.settle();
    assert.equal(cosigning.view()[0]?.state, "refuses", wrong.body);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /"level":"error".*ALARM/);
    assert.doesNotMatch(audit.latestCheckpoint()?.note ?? "", /witness/);
  }
});

test("answers that make no sense are a witness that is away, and nothing of them is kept", async () => {
  const foreign = createCosigner("witness.test/1", Buffer.alloc(32, 8));
  for (const reply of [
    { status: 200, body: "" },
    { status: 200, body: "— witness.test/1 AAAAAAAA\n" },
    { status: 200, body: foreign.cosign("log.test/1\n", 5) },
    { status: 200, body: `${cosigner.cosign("other\n", 5)}` },
    { status: 409, body: "-1\n" },
    { status: 409, body: `${"9".repeat(40)}\n` },
    { status: 404, body: "" },
    { status: 500, body: "" },
  ]) {
    const { audit, cosigning } = await opened(() => async () => reply);
    await grow(audit, 3);
    await cosigning.settle();
    assert.equal(cosigning.view()[0]?.state, "away", reply.body);
    assert.doesNotMatch(audit.latestCheckpoint()?.note ?? "", /witness/);
  }
});

test("a witness that never answers holds nothing up", async () => {
  const { clock, audit, cosigning } = await opened(() => () => new Promise(() => {}));
  await grow(audit, 3);
  const waited = cosigning.settle();
  await settled();
  clock.advance(10_000);
  await waited;
  assert.equal(await audit.append(entry), 3);
});

test("witnesses are reached by https, by http on this machine alone, and what cannot be one is refused", () => {
  for (const url of ["https://w.test", "https://w.test:99/a/b", "http://127.0.0.1:80/", "http://[::1]:80/"]) {
    assert.equal(parseWitnesses([{ url, key }], "/home").length, 1);
  }
  assert.deepEqual(parseWitnesses(undefined, "/home"), []);
  assert.equal(parseWitnesses([{ url: "https://w.test", key, ca: "ca.pem" }], "/home")[0]?.ca, "/home/ca.pem");
  const wrong: unknown[] = [
    {},
    "https://w.test",
    [null],
    ["https://w.test"],
    [{ url: "https://w.test" }],
    [{ url: "https://w.test", key: "x" }],
    [{ url: "https://w.test", key, more: 1 }],
    [{ url: "https://w.test", key, ca: 1 }],
    [{ url: "ftp://w.test", key }],
    [{ url: "file:///etc/passwd", key }],
    [{ url: "https://user:pass@w.test", key }],
    [{ url: "https://w.test/?a=b", key }],
    ...["10.0.0.1", "127.0.0.1.evil.test", "localhost", "[::2]", "0.0.0.0"].map((host) => [
      { url: `http://${host}/`, key },
    ]),
    [
      { url: "https://a.test", key },
      { url: "https://b.test", key },
    ],
    Array.from({ length: 9 }, () => ({ url: "https://a.test", key })),
  ];
  for (const given of wrong) {
    assert.throws(
      () => parseWitnesses(given, "/home"),
      (error) => isProblem(error, "invalid"),
      JSON.stringify(given),
    );
  }
});
