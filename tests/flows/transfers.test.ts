import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { StudyPage, TransferView } from "#formats/api";
import { storescp } from "../conformance/dimse-query.fixture.ts";
import { has, type RunningHouse, startHouse } from "../house/index.ts";
import { type Slice, slicesOf, storeAll } from "./modality.fixture.ts";

/*
 * Studies on their way to machines that do as they please: DCMTK's storescp refuses, hangs up in the middle, is slow, is gone and comes
 * back; the server is killed meanwhile. What was asked for arrives whole, or is given up with a reason that somebody can read.
 */
const skip = has("storescp") ? false : "needs dcmtk: apt install dcmtk";
let house: RunningHouse;
before(async () => {
  if (skip) return;
  house = await startHouse();
  house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
});
after(async () => {
  await house?.remove();
});

async function stored(seed: number, slices = 3): Promise<{ token: string; slices: Slice[] }> {
  const study = slicesOf({ kind: "mr-brain", slices, size: 64, seed });
  await storeAll(house, study);
  const answer = await house.fetch("/api/studies/search", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ limit: 200 }),
  });
  const { studies } = (await answer.json()) as StudyPage;
  const found = studies.find(({ studyUid }) => studyUid === study[0]?.studyUid);
  assert.ok(found);
  return { token: found.token, slices: study };
}

const known = (ae: string, port: number) =>
  house.command(["device", "add", ae, "--address", "127.0.0.1", "--port", String(port)]);
const queue = (token: string, ae: string): TransferView =>
  JSON.parse(house.command(["send", token, "--to", ae, "--no-wait", "--json"]));
const transfers = (token: string): TransferView[] => JSON.parse(house.command(["transfers", token, "--json"]));

async function until(token: string, fits: (transfer: TransferView) => boolean): Promise<TransferView> {
  for (;;) {
    const [transfer] = transfers(token);
    if (transfer !== undefined && fits(transfer)) return transfer;
    await sleep(200);
  }
}

const shas = (slices: readonly Slice[]) => slices.map(({ sha256 }) => sha256).sort();
const failedOnce = ({ state, attempts, problem }: TransferView) =>
  state === "waiting" && attempts > 0 && problem !== undefined;

test("what is asked for while a machine is gone arrives, bit for bit, when it is back; one asking is one transfer", {
  skip,
}, async () => {
  const { token, slices } = await stored(1);
  const gone = await storescp("PACS1");
  known("PACS1", gone.port);
  await gone.stop();
  const first = queue(token, "PACS1");
  assert.equal(queue(token, "PACS1").id, first.id);
  const waiting = await until(token, failedOnce);
  assert.equal(waiting.problem?.code, "unavailable");
  const back = await storescp("PACS1");
  known("PACS1", back.port);
  house.command(["transfer", "retry", first.id]);
  const { progress } = await until(token, ({ state }) => state === "done");
  assert.deepEqual(progress, { done: 3, of: 3 });
  assert.deepEqual(
    back
      .taken()
      .map(({ sha256 }) => sha256)
      .sort(),
    shas(slices),
  );
  await back.stop();
});

test("a machine that refuses us, or hangs up over an object, has it tried again, and it can be called off", {
  skip,
}, async () => {
  for (const [at, manner] of [
    [2, ["--refuse"]],
    [3, ["--abort-during"]],
    [4, ["--abort-after"]],
  ] as const) {
    const ae = `BAD${at}`;
    const { token } = await stored(at);
    const bad = await storescp(ae, ...manner);
    known(ae, bad.port);
    const { id } = queue(token, ae);
    const { problem } = await until(token, failedOnce);
    assert.equal(problem?.code, "unavailable", manner[0]);
    assert.equal((JSON.parse(house.command(["transfer", "cancel", id, "--json"])) as TransferView).state, "cancelled");
    await bad.stop();
  }
});

test("a server that is killed over a sending goes on with it at the next start", { skip }, async () => {
  const { token, slices } = await stored(5, 6);
  const slow = await storescp("SLOW", "--sleep-after", "1");
  known("SLOW", slow.port);
  queue(token, "SLOW");
  while (slow.taken().length === 0) await sleep(100);
  await house.stop("SIGKILL");
  house = await startHouse({ home: house.home });
  assert.equal(transfers(token)[0]?.kind, "send");
  await until(token, ({ state }) => state === "done");
  assert.deepEqual([...new Set(slow.taken().map(({ sha256 }) => sha256))].sort(), shas(slices));
  await slow.stop();
});

test("a machine that takes no compressed images gets them plain, without loss", { skip }, async () => {
  const { token } = await stored(6);
  const implicit = await storescp("PLAIN", "+xi");
  known("PLAIN", implicit.port);
  const sent = JSON.parse(house.command(["send", token, "--to", "PLAIN", "--json"])) as TransferView;
  assert.equal(sent.state, "done");
  assert.deepEqual(
    [...new Set(implicit.taken().map(({ transferSyntaxUid }) => transferSyntaxUid))],
    ["1.2.840.10008.1.2"],
  );
  await implicit.stop();
});
