import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { createUnpacker } from "#radiology/images";
import { createMemoryRecordStore } from "#stores/memory";
import { newSigningKey } from "#trust/parcels";
import { createRecords } from "#trust/vault";
import { openArchive } from "../archive/archive.fixture.ts";
import { pixelsHere } from "../images/pixels-here.fixture.ts";
import { createDeliveries, type DeliveriesParts } from "./deliveries.ts";
import { createKnownParcels } from "./known-parcels.ts";
import type { PartialParcel } from "./partial-parcels.ts";

const edgeOf = (name: string) => ({ id: name.repeat(16), facility: "" });
const parcelOf = (id: number) => ({
  id: id.toString(16).padStart(32, "0"),
  length: 0,
  sha256: createHash("sha256").digest(),
});
/** Of nothing: what is said of it is that it is none. */
const nothing: PartialParcel = {
  length: 0,
  write: async () => {},
  async *read() {},
  drop: async () => {},
  rest: async () => {},
};

async function cloud(own: Partial<DeliveriesParts>) {
  const { vault, archive } = await openArchive();
  await archive.close();
  const records = createRecords({ store: createMemoryRecordStore(), vault });
  const shared = { records, clock: createVirtualClock(), log: silentLog };
  const office = {
    keyOf: () => undefined,
    receiptKey: newSigningKey(),
    samenessKey: "",
    signingKeysOf: async () => [],
  };
  const deliveries = createDeliveries({
    ...{ ...shared, archive, unpacker: createUnpacker({ pixels: pixelsHere() }), perform: async () => {} },
    office: async () => office,
    partials: { lengthOf: () => 0, open: async () => nothing, close: async () => {} },
    isHeld: async () => true,
    ...own,
  });
  return { deliveries, known: createKnownParcels(shared) };
}

test("of one edge three parcels are opened at a time, whatever links it has, and another's go on", async () => {
  const begun: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { deliveries } = await cloud({
    partials: {
      lengthOf: () => 0,
      open: async (edge) => ({
        ...nothing,
        async *read() {
          begun.push(edge.slice(0, 2));
          await gate.promise;
          yield Buffer.alloc(0);
        },
      }),
      close: async () => {},
    },
  });
  const ends: Promise<unknown>[] = [];
  for (const name of ["0a", "0a", "0a", "0a", "0a", "0b"]) {
    const arrival = await deliveries.of(edgeOf(name)).open(parcelOf(ends.length), 0);
    ends.push(arrival.finish().catch(() => {}));
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(begun, ["0a", "0a", "0a", "0b"]);
  gate.resolve();
  await Promise.all(ends);
  assert.ok(begun.filter((name) => name === "0a").length > 3);
  await deliveries.close();
});

test("one parcel that cannot be looked up keeps no other from its answer", async () => {
  const lost = { sopUid: "1.2.3", sha256: "00".repeat(32) };
  const { deliveries, known } = await cloud({
    async isHeld({ sopUid }) {
      if (sopUid === lost.sopUid) throw new Problem("damaged", "a row that does not open");
      return true;
    },
  });
  const { id: edge } = edgeOf("0a");
  await known.note(edge, parcelOf(1).id, lost);
  await known.note(edge, parcelOf(2).id, { ...lost, sopUid: "1.2.4" });
  await known.close();
  const [first, second] = await deliveries.of(edgeOf("0a")).standing([parcelOf(1), parcelOf(2)]);
  assert.deepEqual(first, { from: 0 });
  assert.ok(second !== undefined && "receipt" in second);
  await deliveries.close();
});

test("other bytes under the UID of what was taken are not what was taken", async () => {
  const asked: unknown[] = [];
  const { deliveries, known } = await cloud({
    async isHeld(instance) {
      asked.push(instance);
      return false;
    },
  });
  const taken = { sopUid: "1.2.3", sha256: "ab".repeat(32) };
  await known.note(edgeOf("0a").id, parcelOf(1).id, taken);
  await known.close();
  assert.deepEqual(await deliveries.of(edgeOf("0b")).standing([parcelOf(1)]), [{ from: 0 }]);
  assert.deepEqual(asked, [taken]);
  await deliveries.close();
});
