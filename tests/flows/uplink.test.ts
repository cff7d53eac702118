import assert from "node:assert/strict";
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { setImmediate as later } from "node:timers/promises";
import { createVirtualClock, systemClock } from "#base/clock";
import { Problem } from "#base/problem";
import { elementsOf, TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import { phantomStudy } from "#imaging/phantoms";
import { judgeByReceipts } from "#radiology/uplink";
import { createMemorySpool } from "#stores/memory";
import { actorOf, operator } from "#trust/access";
import { newSigningKey, signReceipt } from "#trust/parcels";
import { openUplinkAndCloud, type UplinkOptions } from "./uplink.fixture.ts";

const scanner = actorOf("device", "5c".repeat(16));
const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;

/** A made-up series as a scanner sends it. */
function instances(seed: number, slices: number) {
  return [...phantomStudy({ kind: "ct-head", seed, slices })].map(({ attributes, frames }) => {
    const { SOPClassUID, SOPInstanceUID, StudyInstanceUID, SeriesInstanceUID } = attributes;
    const dataSet = writeDataSet(elementsOf({ ...attributes, PixelData: frames[0] }), { transferSyntaxUid });
    const header = {
      sopClassUid: `${SOPClassUID}`,
      sopInstanceUid: `${SOPInstanceUID}`,
      transferSyntaxUid,
      sourceAe: "CT1",
    };
    return {
      header,
      dataSet: Buffer.from(dataSet),
      studyUid: `${StudyInstanceUID}`,
      seriesUid: `${SeriesInstanceUID}`,
    };
  });
}
type Instance = ReturnType<typeof instances>[number];
type House = Awaited<ReturnType<typeof openUplinkAndCloud>>;

const open: House[] = [];
afterEach(async () => {
  for (const house of open.splice(0)) await house.close();
});
async function house(options: UplinkOptions = {}): Promise<House> {
  const opened = await openUplinkAndCloud(options);
  open.push(opened);
  return opened;
}

/** As the DICOM door does: from one buffer that is used again. */
async function send({ uplink }: House, { header, dataSet }: Instance, isUrgent = false): Promise<void> {
  const receiving = uplink().receiveDataSet(scanner, { ...header, isUrgent });
  const lent = Buffer.alloc(16 * 1024);
  for (let at = 0; at < dataSet.length; at += lent.length) {
    const piece = lent.subarray(0, dataSet.copy(lent, 0, at));
    await receiving.write(piece);
    piece.fill(0xee);
  }
  await receiving.finish();
}

async function heldInCloud({ cloud }: House, studyUid: string): Promise<Map<string, Buffer>> {
  await cloud.archive.settled();
  const found = new Map<string, Buffer>();
  for (const instance of await cloud.archive.read(operator, { studyUid }).catch(() => [])) {
    const pieces: Buffer[] = [];
    for await (const piece of (await instance.open()).stream(instance.dataSetOffset)) pieces.push(piece);
    found.set(instance.sopUid, Buffer.concat(pieces));
  }
  return found;
}

test("what a scanner sends to a box is in the cloud, bit for bit, and the box forgets it on the cloud's word", async () => {
  const here = await house();
  const series = instances(1, 4);
  for (const each of series) await send(here, each);
  assert.equal(here.uplink().state().parcels, 4);
  await here.carry();
  const held = await heldInCloud(here, series[0]?.studyUid ?? "");
  for (const { header, dataSet } of series) assert.ok(held.get(header.sopInstanceUid)?.equals(dataSet));
  const { parcels, bytes, aside, delivered } = here.uplink().state();
  assert.deepEqual([parcels, bytes, aside, delivered], [0, 0, 0, 4]);
});

test("the first instance of each series goes before the others, and what somebody waits for before all", async () => {
  const here = await house();
  const [first, second, third] = instances(1, 3) as [Instance, Instance, Instance];
  const [other] = instances(2, 1) as [Instance];
  for (const each of [first, second, other]) await send(here, each);
  await send(here, third, true);
  const given = async (urgency: "stat" | "first" | "routine") => (await here.spool().take(urgency, 9)).length;
  assert.deepEqual([await given("stat"), await given("first"), await given("routine")], [1, 2, 1]);
});

test("the same instance sent twice waits once, and once it is in the cloud not a byte of it is sent again", async () => {
  const here = await house();
  const [one] = instances(3, 1) as [Instance];
  await send(here, one);
  await send(here, one);
  assert.equal(here.uplink().state().parcels, 1);
  assert.ok((await here.carry()) > 0);
  await send(here, one);
  assert.equal(await here.carry(), 0);
  await here.restartCloud();
  await send(here, one);
  assert.equal(await here.carry(), 0);
  assert.equal((await heldInCloud(here, one.studyUid)).size, 1);
});

test("what the cloud has deleted since is sent again", async () => {
  const here = await house();
  const [one] = instances(4, 1) as [Instance];
  await send(here, one);
  await here.carry();
  here.deleted.add(one.header.sopInstanceUid);
  await send(here, one);
  assert.ok((await here.carry()) > 0);
});

test("storage commitment says yes for what the cloud has signed for, waits for what is on its way, and knows nothing of the rest", async () => {
  const here = await house();
  const [one, two] = instances(5, 2) as [Instance, Instance];
  const judge = judgeByReceipts(here.uplink());
  const { signal } = new AbortController();
  await send(here, one);
  await assert.rejects(judge([one.header], signal), { code: "unavailable" });
  await here.carry();
  const judged = await judge([one.header, two.header], signal);
  assert.deepEqual([judged.kept, judged.failed], [[one.header], [{ ...two.header, reason: "absent" }]]);
  await here.restartBox();
  assert.deepEqual((await judgeByReceipts(here.uplink())([one.header], signal)).kept, [one.header]);
});

test("nothing is forgotten on a receipt of somebody else, for something else, or of no key of the cloud's", async () => {
  const here = await house();
  const [one] = instances(6, 1) as [Instance];
  await send(here, one);
  const [parcel] = await here.spool().take("first", 1);
  const { id } = parcel ?? assert.fail();
  const arrival = await here.arrivals().open(parcel ?? assert.fail(), 0);
  await arrival.write(0, await here.spool().read(id, 0, 16));
  await arrival.abandon();
  const { queue } = here.uplink();
  const unprovenNow = { code: "unavailable", remedy: /tried again/ };
  await assert.rejects(queue.settle(id, Buffer.from("a receipt")), unprovenNow);
  await assert.rejects(queue.settle(id, Buffer.alloc(0)), unprovenNow);
  const said = { parcel: id, edge: here.own.edgeId, at: 1, outcome: "stored" } as const;
  await assert.rejects(queue.settle(id, signReceipt(newSigningKey(), said)), unprovenNow);
  await assert.rejects(queue.settle(id, signReceipt(here.receiptKey, { ...said, edge: "other" })), unprovenNow);
  assert.equal(here.uplink().state().parcels, 1);
});

test("what cannot be proven yet, or is still open in the cloud, is no fault of the parcel: it is tried again, however often", async () => {
  const here = await house();
  const [one] = instances(6, 1) as [Instance];
  await send(here, one);
  const [parcel] = await here.spool().take("first", 1);
  const { id } = parcel ?? assert.fail();
  const { queue } = here.uplink();
  for (let times = 0; times < 5; times++) {
    await queue.settle(id, Buffer.from("a receipt")).catch((error) => queue.refuse(id, error));
    await queue.refuse(id, new Problem("conflict", "it is open"));
  }
  for (let times = 0; times < 2; times++) await queue.refuse(id, new Problem("damaged", "not proven"));
  assert.deepEqual([here.uplink().state().parcels, here.uplink().state().aside], [1, 0]);
  await queue.refuse(id, new Problem("damaged", "not proven"));
  assert.deepEqual([here.uplink().state().parcels, here.uplink().state().aside], [0, 1]);
});

for (const [said, problem, method] of [
  ["put back", new Problem("unavailable", "not now"), "putBack"],
  ["aside", new Problem("invalid", "the cloud does not want it"), "setAside"],
] as const) {
  test(`a parcel that the spool could not note as ${said} is given again, and what is in order behind it goes on`, async () => {
    const clock = createVirtualClock();
    const spool = createMemorySpool({ clock });
    const here = await house({ clock, spool });
    const { queue, put } = here.uplink();
    for (const text of ["one", "two"]) await put({ kind: "hl7", about: {} }, Buffer.from(text));
    const [first] = await queue.take("stat", 9);
    const { id } = first ?? assert.fail();
    const full = new Problem("no-room", "the disk of the index is full");
    for (let times = 0; method === "setAside" && times < 2; times++) await queue.refuse(id, problem);
    spool.failNext(full, method);
    await queue.refuse(id, problem);
    assert.deepEqual(await queue.take("stat", 9), []);
    spool.failNext(full, "putBack");
    clock.advance(3_600_000);
    await later();
    clock.advance(3_600_000);
    await later();
    assert.deepEqual(
      (await queue.take("stat", 9)).map((parcel) => parcel.id),
      [id],
    );
    await queue.settle(id, signReceipt(here.receiptKey, { parcel: id, edge: here.own.edgeId, at: 1, outcome: "held" }));
    assert.equal((await queue.take("stat", 9)).length, 1);
  });
}

test("what the edge's key does not vouch for is refused three times, put aside, and kept", async () => {
  const here = await house();
  const [one] = instances(7, 1) as [Instance];
  here.keys.known = { ...here.own, signing: newSigningKey() };
  await send(here, one);
  const [parcel] = await here.spool().take("first", 1);
  const { id } = parcel ?? assert.fail();
  for (let times = 0; times < 3; times++) await here.uplink().queue.refuse(id, new Problem("damaged", "not proven"));
  assert.deepEqual([here.uplink().state().parcels, here.uplink().state().aside], [0, 1]);
  await here.spool().again();
  await here.carry();
  assert.equal((await heldInCloud(here, one.studyUid)).size, 0);
  assert.equal(here.uplink().state().delivered, 0);
});

test("a parcel that came in part is gone on with where it stood, also by another process; one that was changed on the disk is not taken", async () => {
  const here = await house();
  const [small] = instances(8, 1) as [Instance];
  const large = { ...small, dataSet: Buffer.concat([small.dataSet, noisePadding(3_000_000)]) };
  await send(here, large);
  const [parcel] = await here.spool().take("first", 1);
  const { id, length } = parcel ?? assert.fail();
  assert.ok(length > 2_000_000);
  const begin = async (from: number, to: number) => {
    const arrival = await here.arrivals().open(parcel ?? assert.fail(), from);
    for (let at = from; at < to; at += 64 * 1024)
      await arrival.write(at, await here.spool().read(id, at, Math.min(at + 64 * 1024, to)));
    return arrival;
  };
  await (await begin(0, 1024 * 1024)).abandon();
  await here.restartCloud();
  assert.deepEqual(await here.arrivals().standing([parcel ?? assert.fail()]), [{ from: 1024 * 1024 }]);
  const file = readdirSync(join(here.folder, "incoming"), { recursive: true, encoding: "utf8" }).find((path) =>
    path.includes(id),
  );
  const path = join(here.folder, "incoming", file ?? assert.fail());
  const bytes = readFileSync(path);
  bytes[500_000] = (bytes[500_000] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await assert.rejects((await begin(1024 * 1024, length)).finish(), { code: "damaged" });
  assert.deepEqual(await here.arrivals().standing([parcel ?? assert.fail()]), [{ from: 0 }]);
  await (await begin(0, 1024 * 1024)).abandon();
  truncateSync(path, 700_001);
  await here.restartCloud();
  assert.deepEqual(await here.arrivals().standing([parcel ?? assert.fail()]), [{ from: 700_001 }]);
  const arrival = await begin(700_001, length);
  await here.uplink().queue.settle(id, await arrival.finish());
  assert.ok((await heldInCloud(here, small.studyUid)).get(small.header.sopInstanceUid)?.equals(large.dataSet));
});

test("a box that was enrolled anew under another id brings what it signed under its former one", async () => {
  const here = await house();
  const [one, two] = instances(10, 2) as [Instance, Instance];
  await send(here, one);
  here.enrolAnew("1e".repeat(16));
  await send(here, two);
  await here.carry();
  assert.equal(here.uplink().state().delivered, 2);
  assert.equal((await heldInCloud(here, one.studyUid)).size, 2);
});

test("what says that it was signed under an id whose keys did not sign it is not taken", async () => {
  const here = await house();
  const [one] = instances(11, 1) as [Instance];
  here.keys.known = { ...here.own, edgeId: "2e".repeat(16) };
  await send(here, one);
  here.keys.known = here.own;
  await here.carry();
  assert.equal(here.uplink().state().delivered, 0);
});

test("no edge has the cloud sign for an instance that never came, by a message under the instance's id", async () => {
  const here = await house();
  const [one] = instances(12, 1) as [Instance];
  await send(here, one);
  const [taken] = await here.spool().take("first", 1);
  const instance = taken ?? assert.fail();
  const victim = here.arrivals();
  here.enrolAnew("3e".repeat(16));
  await here.uplink().put({ kind: "step", about: {} }, Buffer.from("nothing"));
  const [message] = await here.spool().take("stat", 1);
  const { id, length, sha256 } = message ?? assert.fail();
  const forged = { id: instance.id, length, sha256 };
  const arrival = await here.arrivals().open(forged, 0);
  await arrival.write(0, await here.spool().read(id, 0, length));
  await arrival.finish();
  assert.deepEqual(await victim.standing([instance]), [{ from: 0 }]);
});

test("what the archive has no room for now is not sent again: it is taken once there is", async () => {
  let isFull = true;
  const done: string[] = [];
  const here = await house({
    async perform(_head, content) {
      if (isFull) throw new Problem("no-room", "the disk is nearly full");
      done.push(`${content}`);
    },
  });
  await here.uplink().put({ kind: "step", about: {} }, Buffer.from("once"));
  const [parcel] = await here.spool().take("stat", 1);
  const { id, length } = parcel ?? assert.fail();
  const arrival = await here.arrivals().open(parcel ?? assert.fail(), 0);
  await arrival.write(0, await here.spool().read(id, 0, length));
  await assert.rejects(arrival.finish(), { code: "no-room" });
  await arrival.abandon();
  assert.deepEqual(await here.arrivals().standing([parcel ?? assert.fail()]), [{ from: length }]);
  isFull = false;
  const again = await here.arrivals().open(parcel ?? assert.fail(), length);
  await again.finish();
  await again.abandon();
  assert.deepEqual(done, ["once"]);
});

test("messages are done in the order in which they were put, each before the next is given", async () => {
  const done: string[] = [];
  let isAway = true;
  let aheadMs = 0;
  const here = await house({
    clock: { ...systemClock, now: () => systemClock.now() + aheadMs },
    async perform(head, content) {
      if (isAway) throw new Problem("unavailable", "not now");
      done.push(`${head.about.from} ${content}`);
    },
  });
  for (const text of ["one", "two", "three"]) {
    await here.uplink().put({ kind: "hl7", about: { from: "RIS" } }, Buffer.from(text));
  }
  await here.restartBox();
  assert.equal((await here.spool().take("stat", 9)).length, 1);
  await here.restartBox();
  await here.carry();
  assert.deepEqual(done, []);
  isAway = false;
  aheadMs = 60_000;
  await here.carry();
  assert.deepEqual(done, ["RIS one", "RIS two", "RIS three"]);
});

test("a box that belongs to no cloud takes nothing and says what to do", async () => {
  const here = await house();
  here.keys.known = undefined;
  const [one] = instances(9, 1) as [Instance];
  assert.throws(() => here.uplink().receiveDataSet(scanner, one.header), {
    code: "unavailable",
    remedy: /edge enroll/,
  });
});

/** DataSetTrailingPadding (FFFC,FFFC), that no packing makes short. */
function noisePadding(length: number): Buffer {
  const head = Buffer.from("fcfffcff4f4200000000000000", "hex").subarray(0, 12);
  head.writeUInt32LE(length, 8);
  const noise = Buffer.alloc(length);
  for (let at = 0, state = 1; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    noise[at] = state >>> 16;
  }
  return Buffer.concat([head, noise]);
}
