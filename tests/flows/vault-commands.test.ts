import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { VaultReport } from "#formats/api";
import { newHome, type RunningHouse, startHouse } from "../house/index.ts";
import { flipByteInFirstPack } from "./flipped-byte.fixture.ts";
import { firstValue, retrieve, type Slice, search, sha256, slicesOf, storeAll } from "./modality.fixture.ts";

const admit = (house: RunningHouse) => house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
const report = (text: string) => JSON.parse(text) as VaultReport;

async function assertHeld(house: RunningHouse, slices: readonly Slice[]): Promise<void> {
  const found = await search(house, `/studies/${slices[0]?.studyUid}/instances`);
  const uids = found.map((json) => String(firstValue(json, "00080018")));
  assert.deepEqual(uids.sort(), slices.map(({ sopInstanceUid }) => sopInstanceUid).sort());
  for (const slice of slices) assert.equal(sha256(await retrieve(house, slice)), slice.sha256);
}

test("the index is made again from the packs: by rebuild on a running home, and by a start without a database", async () => {
  const home = newHome();
  let house = await startHouse({ home });
  try {
    admit(house);
    const studies = [51, 52].map((seed) => slicesOf({ kind: "mr-brain", slices: 4, size: 64, seed }));
    for (const slices of studies) await storeAll(house, slices);
    const rebuilt = report(house.command(["vault", "rebuild", "--json"]));
    assert.equal(rebuilt.instances, 8);
    for (const slices of studies) await assertHeld(house, slices);
    await house.stop();

    for (const name of readdirSync(home).filter((each) => each.startsWith("index.db"))) rmSync(join(home, name));
    house = await startHouse({ home });
    for (const slices of studies) await assertHeld(house, slices);
    assert.equal(report(house.command(["vault", "rebuild", "--json"])).instances, 8);
    for (const slices of studies) await assertHeld(house, slices);
    const checked = report(house.command(["vault", "check", "--json"]));
    assert.deepEqual(checked.damaged, []);
    assert.ok(checked.objects >= 8);
  } finally {
    await house.remove();
  }
});

test("rebuild and check work on a home that is not running", async () => {
  const house = await startHouse();
  try {
    admit(house);
    await storeAll(house, slicesOf({ kind: "mr-brain", slices: 3, size: 64, seed: 53 }));
    await house.stop();
    assert.equal(report(house.command(["vault", "rebuild", "--json"])).instances, 3);
    assert.deepEqual(report(house.command(["vault", "check", "--json"])).damaged, []);
    assert.match(house.command(["vault", "check"]), /^\d+ objects proven, 0 damaged/);
  } finally {
    await house.remove();
  }
});

test("a byte that changed on the disk is found by check, which fails, and the image is not served", async () => {
  const home = newHome();
  let house = await startHouse({ home });
  try {
    admit(house);
    const slices = slicesOf({ kind: "mr-brain", slices: 4, size: 64, seed: 54 });
    await storeAll(house, slices);
    await house.stop();
    flipByteInFirstPack(join(home, "packs"), 5_000);
    house = await startHouse({ home });
    const checked = house.tryCommand(["vault", "check", "--json"]);
    assert.equal(checked.status, 1);
    assert.ok(report(checked.stdout).damaged.length > 0);
    assert.match(checked.stderr, /backup/);
    const outcomes = await Promise.allSettled(slices.map((slice) => retrieve(house, slice)));
    const served = outcomes.flatMap((outcome, at) =>
      outcome.status === "fulfilled" ? [sha256(outcome.value) === slices[at]?.sha256] : [],
    );
    assert.ok(served.length < slices.length, "the damaged image was served");
    assert.ok(
      served.every((same) => same),
      "an image was served with other bytes",
    );
    assert.ok(served.length > 0, "the images beside it are served");
  } finally {
    await house.remove();
  }
});
