import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { seededRandom } from "#base/id";
import { isProblem } from "#base/problem";
import { contentBytesMost, endBytesMost, frameHeadBytes, headerBytes } from "./format.ts";
import { newParcelKey, openParcel, type ParcelKeyPair, sealParcel } from "./index.ts";

const seed = 23;
const key = await newParcelKey();
const random = seededRandom(seed);
const filled = (bytes: number) => Buffer.from(random(new Uint8Array(bytes)));
const head = Buffer.from("what it is");
const tail = Buffer.from("what was known at the end");
const tagBytes = 16;

/** Pieces of these bytes, cut where `cuts` say. */
function cutUp(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const bounds = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((to, at) => bytes.subarray(bounds[at], to));
}

async function sealed(content: readonly Buffer[], ends = { head, tail }): Promise<Buffer> {
  const parts: Buffer[] = [];
  const sealer = await sealParcel(key, ends.head, (part) => parts.push(part));
  // What was handed over may be used again for something else.
  for (const piece of content) {
    const own = Buffer.from(piece);
    sealer.update(own);
    own.fill(0);
  }
  const { length, sha256 } = sealer.end(ends.tail);
  const parcel = Buffer.concat(parts);
  assert.equal(length, parcel.length);
  assert.deepEqual(sha256, createHash("sha256").update(parcel).digest());
  return parcel;
}

interface Opened {
  readonly given: Buffer[];
  readonly tail: Buffer | undefined;
  readonly code: string | undefined;
}

async function opened(pieces: readonly Buffer[], keys: readonly ParcelKeyPair[] = [key]): Promise<Opened> {
  const given: Buffer[] = [];
  const take = (bytes: Buffer) => void given.push(bytes);
  const opener = openParcel((id) => keys.find((pair) => pair.id === id), { head: take, content: take });
  try {
    for (const piece of pieces) {
      const own = Buffer.from(piece);
      await opener.write(own);
      own.fill(0);
    }
    return { given, tail: await opener.end(), code: undefined };
  } catch (error) {
    assert.ok(isProblem(error), String(error));
    await assert.rejects(opener.write(Buffer.alloc(1)), error, "the first fault is every later answer too");
    await assert.rejects(opener.end(), error);
    return { given, tail: undefined, code: error.code };
  }
}

/** Where each frame of a whole parcel begins, and where the last one ends. */
function framesOf(parcel: Buffer): number[] {
  const bounds = [headerBytes];
  for (let at = headerBytes; at < parcel.length; ) {
    at += frameHeadBytes + parcel.readUIntBE(at + 1, 3) + tagBytes;
    bounds.push(at);
  }
  return bounds;
}

test("any cutting up of the bytes on both sides gives the same", async () => {
  const content = filled(3 * contentBytesMost + 777);
  const cuts = fc.array(fc.nat(), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cuts, cuts, async (before, after) => {
      const parcel = await sealed(cutUp(content, before));
      const { given, tail: last, code } = await opened(cutUp(parcel, after));
      assert.equal(code, undefined);
      assert.deepEqual(
        given.map(({ length }) => length),
        [head.length, ...Array(3).fill(contentBytesMost), 777],
      );
      assert.deepEqual(Buffer.concat(given.slice(1)), content);
      assert.deepEqual([given[0], last], [head, tail]);
    }),
    { seed, numRuns: 25 },
  );
});

test("a parcel may come byte by byte", async () => {
  const parcel = await sealed([Buffer.from("content")]);
  const { given, code } = await opened(Array.from(parcel, (_, at) => parcel.subarray(at, at + 1)));
  assert.equal(code, undefined);
  assert.deepEqual(given, [head, Buffer.from("content")]);
});

test("no content, content up to a frame's border and one byte beside it come out as they went in", async () => {
  for (const length of [0, 1, contentBytesMost - 1, contentBytesMost, contentBytesMost + 1, 2 * contentBytesMost]) {
    const content = filled(length);
    const parcel = await sealed([content]);
    const { given, tail: last } = await opened([parcel]);
    assert.deepEqual(Buffer.concat(given.slice(1)), content, `${length} bytes`);
    assert.equal(given.length, 1 + Math.ceil(length / contentBytesMost), "no frame is empty");
    assert.deepEqual(last, tail);
  }
});

test("head and tail may be empty, or 16 KiB, and no longer", async () => {
  const full = filled(endBytesMost);
  for (const each of [Buffer.alloc(0), full]) {
    const { given, tail: last } = await opened([await sealed([], { head: each, tail: each })]);
    assert.deepEqual([given, last], [[each], each]);
  }
  const long = filled(endBytesMost + 1);
  const tooLarge = (error: unknown) => isProblem(error, "too-large");
  await assert.rejects(
    sealParcel(key, long, () => {}),
    tooLarge,
  );
  const sealer = await sealParcel(key, head, () => {});
  assert.throws(() => sealer.end(long), tooLarge);
});

test("a parcel that was ended takes nothing more", async () => {
  const sealer = await sealParcel(key, head, () => {});
  sealer.end(tail);
  assert.throws(
    () => sealer.update(filled(contentBytesMost)),
    (error) => isProblem(error, "conflict"),
  );
  assert.throws(
    () => sealer.end(tail),
    (error) => isProblem(error, "conflict"),
  );
});

test("the same content is sealed to other bytes each time", async () => {
  const [one, other] = [await sealed([tail]), await sealed([tail])];
  assert.notDeepEqual(one.subarray(headerBytes), other.subarray(headerBytes));
});

test("one flipped bit anywhere is noticed, and only proven frames were given on before", async () => {
  const parcel = await sealed([filled(contentBytesMost + 40)]);
  const bounds = framesOf(parcel);
  const interesting = fc.oneof(
    fc.nat(headerBytes - 1),
    fc.integer({ min: headerBytes, max: bounds[2] ?? 0 }),
    fc.nat(parcel.length - 1),
    fc.constantFrom(...bounds.slice(0, -1)).chain((at) => fc.nat(frameHeadBytes - 1).map((offset) => at + offset)),
  );
  await fc.assert(
    fc.asyncProperty(interesting, fc.nat(7), async (at, bit) => {
      const changed = Buffer.from(parcel);
      changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
      const { given, tail: last, code } = await opened([changed]);
      // Another version, suite or key cannot be told from one that was changed into it.
      const codes = at < 4 || at >= 14 ? ["damaged"] : at < 6 ? ["unsupported"] : ["absent"];
      assert.ok(codes.includes(code ?? "none"), `byte ${at} of ${parcel.length}: ${code}`);
      assert.equal(last, undefined);
      assert.ok(given.length <= bounds.filter((bound) => bound <= at).length - 1 || at < headerBytes);
      if (at < headerBytes) assert.deepEqual(given, []);
    }),
    { seed, numRuns: 150 },
  );
});

test("frames that are left out, doubled, swapped, put in front or added are noticed", async () => {
  const parcel = await sealed([filled(2 * contentBytesMost + 5)]);
  const bounds = framesOf(parcel);
  const frames = bounds.slice(1).map((to, at) => parcel.subarray(bounds[at], to));
  assert.equal(frames.length, 5, "head, three of content, tail");
  const other = await sealed([filled(2 * contentBytesMost + 5)]);
  const foreign = other.subarray(framesOf(other)[1], framesOf(other)[2]);
  const orders: (readonly Buffer[])[] = [];
  for (let at = 0; at < frames.length; at++) {
    orders.push(frames.toSpliced(at, 1), frames.toSpliced(at, 0, frames[at] as Buffer));
    orders.push(frames.slice(0, at), frames.with(at, foreign));
    for (let to = at + 1; to < frames.length; to++)
      orders.push(frames.with(at, frames[to] as Buffer).with(to, frames[at] as Buffer));
  }
  orders.push([...frames, foreign], [...frames, Buffer.of(0)], [...frames, Buffer.of(2, 0, 0, 1)]);
  for (const order of orders) {
    const { given, tail: last, code } = await opened([Buffer.concat([parcel.subarray(0, headerBytes), ...order])]);
    assert.equal(code, "damaged", String(order.map((frame) => frames.indexOf(frame))));
    assert.equal(last, undefined);
    const alike = order.findIndex((frame, at) => frame !== frames[at]);
    assert.ok(given.length <= (alike < 0 ? order.length : alike));
  }
});

test("a parcel that ends anywhere but at its end is noticed", async () => {
  const parcel = await sealed([filled(100)]);
  for (let to = 0; to < parcel.length; to++) {
    const { code, tail: last } = await opened([parcel.subarray(0, to)]);
    assert.deepEqual([code, last], ["damaged", undefined], `${to} bytes`);
  }
});

test("a frame that says to be longer than any is refused before its bytes have come", async () => {
  const parcel = await sealed([filled(10)]);
  const [, content = 0] = framesOf(parcel);
  for (const [kind, length] of [
    [1, 3],
    [2, 0],
    [2, contentBytesMost + 1],
    [3, endBytesMost + 1],
    [0, 1],
    [4, 1],
    [255, 1],
  ] as const) {
    const said = Buffer.alloc(frameHeadBytes);
    said.writeUInt8(kind);
    said.writeUIntBE(length, 1, 3);
    const { code, given } = await opened([parcel.subarray(0, content), said]);
    assert.deepEqual([code, given], ["damaged", [head]], `kind ${kind}, ${length} bytes`);
  }
});

test("a parcel for another cloud's key is not opened, and one that lies about its key neither", async () => {
  const parcel = await sealed([tail]);
  const stranger = await newParcelKey();
  assert.deepEqual((await opened([parcel], [stranger])).code, "absent");
  assert.deepEqual((await opened([parcel], [{ ...stranger, id: key.id }])).code, "damaged");
});

test("what is no public key, or not the one its id says, is not sealed to", async () => {
  const low = Buffer.alloc(32);
  const id = createHash("sha256").update(low).digest("hex").slice(0, 16);
  for (const to of [
    { ...key, id: "00".repeat(8) },
    { ...key, publicKey: "" },
    { ...key, publicKey: key.publicKey.slice(4) },
    { id, publicKey: low.toString("base64url") },
  ])
    await assert.rejects(
      sealParcel(to, head, () => {}),
      (error) => isProblem(error, "invalid"),
    );
});

test("who takes the bytes and fails ends the opening with that fault", async () => {
  const parcel = await sealed([tail]);
  const full = new Error("no room");
  const opener = openParcel(() => key, { head: () => {}, content: () => Promise.reject(full) });
  await assert.rejects(opener.write(parcel), full);
  await assert.rejects(opener.end(), full);
});
