import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import { isProblem } from "#base/problem";
import { createMemoryRecordStore } from "#stores/memory";
import { type Device, operator } from "#trust/access";
import { createRecords } from "#trust/vault";
import { openArchive } from "../../radiology/archive/archive.fixture.ts";
import { openRelay } from "./relay.ts";

type Parts = Parameters<typeof openRelay>[0];

test("a search at another archive that does not answer ends after a minute, and leaves no association", async () => {
  const clock = createVirtualClock();
  const { archive, index, vault, gate } = await openArchive({ clock });
  const opened = Promise.withResolvers<Awaited<ReturnType<Parts["deviceCalls"]["open"]>>>();
  const aborted: string[] = [];
  const relay = openRelay({
    ...{ archive, index, vault, gate, clock, ownTitle: "LEADGLASS" },
    records: createRecords({ store: createMemoryRecordStore(), vault }),
    devices: { named: async () => ({ port: 104, may: ["retrieve"] }) as unknown as Device },
    deviceCalls: { open: () => opened.promise },
    routing: { forwardBy() {} },
  } as unknown as Parts);
  const found = relay.find(operator, "d".repeat(32), { PatientID: "1" });
  found.catch(() => {});
  for (let i = 0; i < 50; i++) await turn();
  clock.advance(60_000);
  await assert.rejects(found, (error) => isProblem(error, "unavailable"));
  opened.resolve({ abort: () => void aborted.push("late") } as unknown as Awaited<typeof opened.promise>);
  await turn();
  assert.deepEqual(aborted, ["late"]);
});
