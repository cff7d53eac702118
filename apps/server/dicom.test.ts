import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock, systemClock } from "#base/clock";
import { createLog } from "#base/log";
import { openAssociation } from "#doors/dimse";
import { connectTo, proposal } from "../../doors/dimse/scp.fixture.ts";
import { createDicomDoor } from "./dicom.ts";

test("callers that are refused do not fill the log: the first of an address is told, then how many more", async () => {
  const lines: string[] = [];
  const clock = createVirtualClock();
  const log = createLog({ sink: (line) => lines.push(JSON.parse(line).what), clock });
  const door = createDicomDoor({ sideOf: () => undefined, associationsMax: 10, clock, log });
  for (let at = 0; at < 50; at++) {
    const refused = openAssociation(connectTo(door, "192.0.2.1"), proposal, { clock: systemClock });
    await assert.rejects(refused, /result 1, source 1, reason 7/);
  }
  assert.deepEqual(lines, ["refused: a DICOM association (called-ae), from 192.0.2.1"]);
  clock.advance(10_000);
  assert.deepEqual(lines.slice(1), ["refused again: a DICOM association (called-ae), from 192.0.2.1"]);
});
