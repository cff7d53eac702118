import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as later } from "node:timers/promises";
import { isProblem } from "#base/problem";
import { elementsOf, TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import { phantomStudy } from "#imaging/phantoms";
import { createOutgoingInstances } from "./outgoing-instance.ts";

const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;

test("scanners that send slowly fill half of the lanes: the next wait for a place, and what has come as a whole goes on", async () => {
  const [phantom] = [...phantomStudy({ kind: "ct-head", seed: 1, slices: 1 })];
  const { attributes, frames } = phantom ?? assert.fail();
  const elements = elementsOf({ ...attributes, PixelData: frames[0] });
  const dataSet = Buffer.from(writeDataSet(elements, { transferSyntaxUid }));
  const { SOPClassUID, SOPInstanceUID } = attributes;
  const header = { sopClassUid: `${SOPClassUID}`, sopInstanceUid: `${SOPInstanceUID}`, transferSyntaxUid };
  let open = 0;
  const parcel = { write: async () => {}, commit: async () => "kept" as const, abort: async () => void open-- };
  const receive = createOutgoingInstances({
    shrinker: {
      wholeBytesMax: dataSet.length / 2,
      pack: async (bytes) => ({ packing: "plain", parts: [bytes] }),
      packing: () => ({ packing: "plain", write: async (bytes) => [bytes], end: async () => [] }),
      pace: () => {},
    },
  });
  const parts = {
    async begin() {
      open++;
      return parcel;
    },
    commit: async () => void open--,
  };
  const half = dataSet.subarray(0, dataSet.length / 2 + 2);
  const slow = Array.from({ length: 20 }, () => receive(header, parts));
  const writes = slow.map((each) => Promise.resolve(each.write(half)));
  const ended = writes.map((each) => each.catch((error) => error));
  await later();
  assert.equal(open, 8);

  const short = receive(header, parts);
  await short.write(Buffer.from(writeDataSet(elementsOf(attributes), { transferSyntaxUid })));
  await short.finish();

  await slow[19]?.abort();
  await slow[0]?.abort();
  await later();
  assert.equal(open, 8, "the place that one left is another's");
  await slow[1]?.write(dataSet.subarray(half.length));
  await slow[1]?.finish();
  await later();
  assert.equal(open, 8);
  for (const each of slow.slice(2, 19)) await each.abort();
  const ends = await Promise.all(ended);
  assert.equal(open, 0);
  assert.ok(isProblem(ends[19], "conflict"), "it ended while it waited, and took no place");
});
