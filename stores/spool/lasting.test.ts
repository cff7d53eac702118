import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as later } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import { createTracedFiles } from "#base/io";
import { Problem } from "#base/problem";
import { putParcel, spoolContract, tokenOf } from "../../radiology/uplink/spool.contract.ts";
import { createIndexHistory } from "../sql/spool-index.fixture.ts";
import { openLastingSpool } from "./index.ts";

const sizes = { lanes: 3, segmentBytes: 30_000, segmentsLeast: 1, reserveBytes: 0 };

spoolContract(async (clock) => {
  const [{ files }, { index }] = [createTracedFiles(), await createIndexHistory()];
  return openLastingSpool({ files, folder: "spool", clock, openIndex: async () => index, ...sizes });
});

for (const code of ["fault", "unavailable"] as const) {
  test(`a spool whose index fails (${code}) is opened anew, as often as that takes, and gives what it holds`, async () => {
    const clock = createVirtualClock();
    const { files } = createTracedFiles();
    let history = await createIndexHistory();
    let opened = 0;
    const openIndex = async () => {
      opened++;
      if (opened === 2 || opened === 3) throw new Problem("fault", "the disk is away");
      if (opened > 3) history = await history.survive();
      return history.index;
    };
    const spool = await openLastingSpool({ files, folder: "spool", clock, openIndex, ...sizes });
    await putParcel(spool, "m", { inOrder: true });
    assert.equal((await spool.take("routine", 9)).length, 1);
    let isTold = false;
    spool.onArrival(() => {
      isTold = true;
    });
    const unfinished = await spool.begin();
    await unfinished.write([Buffer.from("half")]);
    history.failAt(0, new Problem(code, "the disk is away"));
    await assert.rejects(spool.settle(tokenOf("m"), Buffer.from("receipt"), 1), { code });
    while (opened < 3) {
      await later();
      clock.advance(1_000);
    }
    await assert.rejects(spool.take("routine", 9), { code: "unavailable", remedy: /./ });
    assert.equal(spool.state().parcels, 1);
    while (!isTold) {
      await later();
      clock.advance(1_000);
    }
    await assert.rejects(unfinished.write([Buffer.from("more")]), Problem);
    assert.deepEqual(
      (await spool.take("routine", 9)).map(({ id }) => id),
      [tokenOf("m")],
    );
    await spool.settle(tokenOf("m"), Buffer.from("receipt"), 1);
    assert.equal(await putParcel(spool, "n"), "kept");
    assert.equal(spool.state().parcels, 1);
    await spool.close();
  });
}

test("a spool that is closed while it cannot be opened again stays closed", async () => {
  const clock = createVirtualClock();
  const { files } = createTracedFiles();
  const history = await createIndexHistory();
  let opened = 0;
  const openIndex = async () => {
    opened++;
    if (opened > 1) throw new Problem("fault", "the disk is away");
    return history.index;
  };
  const spool = await openLastingSpool({ files, folder: "spool", clock, openIndex, ...sizes });
  history.failAt(0, new Problem("fault", "the disk is away"));
  await assert.rejects(spool.drop(tokenOf("m")), { code: "fault" });
  while (opened < 2) await later();
  await spool.close();
  clock.advance(3_600_000);
  await later();
  assert.equal(opened, 2);
});
