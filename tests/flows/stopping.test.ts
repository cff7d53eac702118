import assert from "node:assert/strict";
import { test } from "node:test";
import { newHome, type RunningHouse, startHouse } from "../house/index.ts";
import {
  associate,
  firstValue,
  retrieve,
  type Slice,
  search,
  sha256,
  slicesOf,
  store,
  storeAll,
} from "./modality.fixture.ts";

const admit = (house: RunningHouse) => house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);

async function held(house: RunningHouse, studyUid: string): Promise<string[]> {
  const found = await search(house, `/studies/${studyUid}/instances`);
  return found.map((json) => String(firstValue(json, "00080018"))).sort();
}

/** Stores one after the other until the association is lost; what was acknowledged. */
async function storeUntilLost(house: RunningHouse, slices: readonly Slice[], stored: (count: number) => void) {
  const acknowledged: Slice[] = [];
  const association = await associate(house, slices);
  try {
    for (const slice of slices) {
      if ((await store(association, slice)) === 0) acknowledged.push(slice);
      stored(acknowledged.length);
    }
    await association.release();
  } catch {
    // The server let go of the association: what it had acknowledged counts.
  }
  return acknowledged;
}

test("a second server on the same home refuses, says why, and leaves the first alone", async () => {
  const house = await startHouse();
  try {
    const second = house.tryCommand(["start"]);
    assert.equal(second.status, 1);
    assert.match(second.stderr, /another process has this home open/);
    assert.match(second.stderr, /--home/);
    assert.equal((await house.fetch("/readyz", { anonymous: true })).status, 200);
    assert.equal(JSON.parse(house.command(["status", "--json"])).running, true);
  } finally {
    await house.remove();
  }
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} while images arrive: the server exits with 0, and what it acknowledged is there once`, async () => {
    const home = newHome();
    const first = await startHouse({ home });
    let last = first;
    try {
      admit(first);
      const slices = slicesOf({ kind: "mr-brain", slices: 400, size: 64, seed: 31 });
      let exited: Promise<number | null> | undefined;
      const acknowledged = await storeUntilLost(first, slices, (count) => {
        if (count === 25) exited = first.stop(signal);
      });
      assert.equal(await exited, 0, first.output());
      assert.ok(acknowledged.length >= 25);
      last = await startHouse({ home });
      const there = await held(last, slices[0]?.studyUid ?? "");
      assert.equal(new Set(there).size, there.length);
      for (const slice of acknowledged) {
        assert.ok(there.includes(slice.sopInstanceUid), "an acknowledged instance is lost");
        assert.equal(sha256(await retrieve(last, slice)), slice.sha256);
      }
    } finally {
      await last.remove();
    }
  });
}

test("a stop and a start keep devices, tokens, images and log", async () => {
  const home = newHome();
  const first = await startHouse({ home });
  let last = first;
  try {
    admit(first);
    const slices = slicesOf({ kind: "mr-brain", slices: 3, size: 64, seed: 32 });
    await storeAll(first, slices);
    const token = first.token();
    const { audit } = JSON.parse(first.command(["status", "--json"]));
    assert.equal(await first.stop(), 0);
    last = await startHouse({ home });
    const headers = { authorization: `Bearer ${token}` };
    const found = await last.fetch(`/dicom-web/studies/${slices[0]?.studyUid}/instances`, { headers });
    assert.equal(((await found.json()) as object[]).length, 3);
    await storeAll(last, slices);
    assert.ok(JSON.parse(last.command(["status", "--json"])).audit.entries > audit.entries);
  } finally {
    await last.remove();
  }
});
