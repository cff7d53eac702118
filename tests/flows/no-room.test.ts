import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import type { VaultReport } from "#formats/api";
import { newHome, startHouse } from "../house/index.ts";
import { associate, type Slice, search, slicesOf, store, storeAll, stow } from "./modality.fixture.ts";

/** More than is free: as if the disk had filled up to the reserve. */
function reserveMibOverFree(): number {
  const { bavail, bsize } = statfsSync(tmpdir());
  return Math.ceil((bavail * bsize) / 2 ** 20) + 10_000;
}

test("without room C-STORE is answered A700 and STOW-RS 507, nothing is kept, what was there is served, and it goes on", {
  skip: reserveMibOverFree() > 1_000_000 && "needs less than 1 TB of free disk",
}, async () => {
  const home = newHome();
  const [kept, refused] = slicesOf({ kind: "mr-brain", slices: 2, size: 64, seed: 41 }) as [Slice, Slice];
  let house = await startHouse({ home });
  try {
    house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
    await storeAll(house, [kept]);
    await house.stop();

    house = await startHouse({ home, environment: { LEADGLASS_RESERVE_MIB: String(reserveMibOverFree()) } });
    const association = await associate(house, [refused]);
    assert.equal(await store(association, refused), 0xa700);
    assert.equal(await store(association, refused), 0xa700, "the association lives on");
    await association.release();
    const answer = await stow(house, [refused]);
    assert.equal(answer.status, 507);
    assert.match(((await answer.json()) as { remedy?: string }).remedy ?? "", /\w/);
    assert.equal((await search(house, `/studies/${kept.studyUid}/instances`)).length, 1);
    const report = JSON.parse(house.command(["vault", "check", "--json"])) as VaultReport;
    assert.deepEqual(report.damaged, []);
    await house.stop();

    house = await startHouse({ home });
    assert.equal((await search(house, `/studies/${kept.studyUid}/instances`)).length, 1);
    await storeAll(house, [refused]);
    assert.equal((await search(house, `/studies/${kept.studyUid}/instances`)).length, 2);
  } finally {
    await house.remove();
  }
});
