import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import sharp from "sharp";
import { isProblem } from "#base/problem";
import type { KeywordDataSet } from "#formats/dicom";
import { imageFile, sopUidOf } from "../conformance/dicomweb-files.fixture.ts";
import { root } from "../house/index.ts";
import { gray, type HostilePixels, openHostilePixels, statusOf, syntax } from "./hostile-pixels.fixture.ts";

let hostile: HostilePixels;
before(async () => {
  hostile = await openHostilePixels();
});
after(() => hostile.close());

test("attack 37: rows, columns and frames that multiply to more than there is are refused before anything is allocated", async () => {
  const before = process.memoryUsage().rss;
  for (const values of [
    { Rows: 65535, Columns: 65535 },
    { Rows: 65535, Columns: 65535, NumberOfFrames: 2147483647 },
    { Rows: 65535, Columns: 65535, SamplesPerPixel: 65535, BitsAllocated: 64, BitsStored: 64, HighBit: 63 },
    { Rows: 46341, Columns: 46341, BitsAllocated: 8, BitsStored: 8, HighBit: 7 },
    { Rows: 32768, Columns: 32768, NumberOfFrames: 4 },
    { Rows: 0, Columns: 0 },
  ]) {
    const answers = await hostile.attack(values);
    for (const resource of ["/rendered", "/thumbnail", "/frames/1"]) {
      const status = statusOf(answers, resource);
      assert.ok(
        status === undefined || (status >= 400 && status < 500),
        `${JSON.stringify(values)} ${resource}: ${status}`,
      );
    }
  }
  assert.ok(process.memoryUsage().rss - before < 128 * 1024 * 1024);
  // What is coded states its own size: it may not be another.
  const huge = { ...gray, transferSyntaxUid: syntax(".4.80"), rows: 65535, columns: 65535 };
  await assert.rejects(hostile.pixels.decodeFrame(new Uint8Array(64), huge), (error) => isProblem(error, "too-large"));
});

const words = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);

test("attack 38: look-up tables that lie about their size or are indexed beyond it are clamped or left out", async () => {
  const table = (descriptor: readonly number[], data: Uint8Array): KeywordDataSet => ({
    SamplesPerPixel: 1,
    PhotometricInterpretation: "PALETTE COLOR",
    ...Object.fromEntries(
      ["Red", "Green", "Blue"].flatMap((colour) => [
        [`${colour}PaletteColorLookupTableDescriptor`, words(...descriptor)],
        [`${colour}PaletteColorLookupTableData`, data],
      ]),
    ),
  });
  const two = words(0x1100, 0x2200);
  for (const [values, expected] of [
    [table([2, 0, 16], two), [0x11, 0x22]],
    [table([2, 65535, 16], two), [0x11, 0x22]],
    [table([65535, 0, 16], two), undefined],
    [table([0, 0, 16], two), undefined],
    [table([2, 0, 0], two), undefined],
    [table([2, 0, 255], two), undefined],
    [table([2], two), undefined],
  ] as const) {
    const answers = await hostile.attack(values);
    const picture = answers.find(({ resource, status }) => resource === "/rendered" && status === 200);
    if (expected === undefined || picture === undefined) {
      assert.ok(expected === undefined, "a table that can be read is shown");
      continue;
    }
    const shown = await sharp(picture.body).raw().toBuffer();
    assert.ok(
      shown.every((value) => (expected as readonly number[]).includes(value)),
      "no colour that is in no table",
    );
  }
  const segmented = (segments: Uint8Array) => ({
    ...table([256, 0, 16], new Uint8Array(0)),
    ...Object.fromEntries(
      ["Red", "Green", "Blue"].map((colour) => [`Segmented${colour}PaletteColorLookupTableData`, segments]),
    ),
  });
  for (const segments of [
    words(0, 65535, 1),
    words(2, 65535, 0, 0),
    words(2, 1, 0xffff, 0xffff),
    words(9, 9),
    words(1, 5, 5),
  ]) {
    await hostile.attack(segmented(segments));
  }
  for (const descriptor of [
    [65535, 0, 16],
    [2, 40000, 16],
    [2, 0, 99],
  ] as const) {
    const sequence = [{ LUTDescriptor: words(...descriptor), LUTData: two }];
    const answers = await hostile.attack({
      VOILUTSequence: sequence,
      ModalityLUTSequence: [{ ...sequence[0], ModalityLUTType: "US" }],
    });
    assert.ok([200, 400, undefined].includes(statusOf(answers, "/rendered")));
  }
});

test("attack 39: bits that cannot be are refused", async () => {
  for (const values of [
    { BitsStored: 0 },
    { BitsStored: 17 },
    { BitsStored: 65535 },
    { HighBit: 99 },
    { HighBit: 65535 },
    { BitsAllocated: 0 },
    { BitsAllocated: 12 },
    { BitsAllocated: 65535 },
    { PixelRepresentation: 7 },
    { SamplesPerPixel: 0 },
    { SamplesPerPixel: 200 },
    { SamplesPerPixel: 3, PhotometricInterpretation: "RGB", PlanarConfiguration: 99 },
  ]) {
    const status = statusOf(await hostile.attack(values), "/rendered");
    assert.ok(status === undefined || status === 400 || status === 501, `${JSON.stringify(values)}: ${status}`);
  }
});

/** An RLE frame: how many segments and where they begin, as stated, over data that would fill 24 by 24 bytes. */
function rleFrame(segments: number, offsets: readonly number[], data = runs): Uint8Array {
  const head = new Uint32Array(16);
  head[0] = segments;
  for (const [at, offset] of offsets.entries()) head[at + 1] = offset;
  return Buffer.concat([new Uint8Array(head.buffer), data]);
}
/** 576 zeros. */
const runs = Uint8Array.from([...new Array(4).fill([129, 0]).flat(), 193, 0]);

const coded = (fragments: readonly Uint8Array[], values: KeywordDataSet = {}): KeywordDataSet => ({
  ...{ Rows: 24, Columns: 24, BitsAllocated: 8, BitsStored: 8, HighBit: 7 },
  PixelData: { fragments },
  ...values,
});

test("attack 40: RLE segments outside of their frame, too few, too many or too short are refused", async () => {
  const rle = { transferSyntaxUid: syntax(".5") };
  const asked = async (frame: Uint8Array) =>
    statusOf(await hostile.attack(coded([new Uint8Array(0), frame]), rle), "/rendered");
  assert.equal(await asked(rleFrame(1, [64])), 200);
  for (const frame of [
    rleFrame(0, []),
    rleFrame(2, [64, 66]),
    rleFrame(15, new Array(15).fill(64)),
    rleFrame(0xffffffff, [64]),
    rleFrame(1, [0]),
    rleFrame(1, [63]),
    rleFrame(1, [0xffffffff]),
    rleFrame(1, [64 + runs.length + 1]),
    rleFrame(1, [64], Uint8Array.of(127)),
    rleFrame(1, [64], Uint8Array.of(129, 0)),
    rleFrame(1, [64], new Uint8Array(600).fill(128)),
    new Uint8Array(63),
  ]) {
    assert.equal(await asked(frame), 400);
  }
});

/** A file whose encapsulated pixels are these bytes, heads and all. */
function withPixels(value: Uint8Array, values: KeywordDataSet = {}): Uint8Array {
  const marker = Buffer.from("here the pixels begin");
  const file = imageFile({
    study: hostile.nextStudy(),
    transferSyntaxUid: syntax(".4.80"),
    values: coded([new Uint8Array(0), marker], values),
  });
  const at = file.indexOf(marker) - 16;
  return Buffer.concat([file.subarray(0, at), value]);
}

const item = (length: number, bytes: Uint8Array = new Uint8Array(0)) => {
  const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, bytes]);
};
const end = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);

test("attack 41: fragments that wrap, end nowhere or are told apart by tables that lie are refused", async () => {
  const some = Buffer.alloc(40, 1);
  const offsets = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);
  for (const [value, values] of [
    [Buffer.concat([item(0), item(0xfffffffe, some), end]), {}],
    [Buffer.concat([item(0), item(0xffffffff, some), end]), {}],
    [Buffer.concat([item(0xffffffff), item(40, some), end]), {}],
    [Buffer.concat([item(0), item(40, some)]), {}],
    [Buffer.concat([item(0), end]), {}],
    [Buffer.concat([item(4, offsets(0xfffffff0)), item(40, some), end]), { NumberOfFrames: 2 }],
    [
      Buffer.concat([item(8, offsets(48, 0)), item(40, some), item(40, some), item(40, some), end]),
      { NumberOfFrames: 2 },
    ],
    [
      Buffer.concat([item(3, some.subarray(0, 3)), item(40, some), item(40, some), item(40, some), end]),
      { NumberOfFrames: 2 },
    ],
    [
      Buffer.concat([item(0), item(40, some), item(40, some), item(40, some), end]),
      {
        NumberOfFrames: 2,
        ExtendedOffsetTable: new Uint8Array(16).fill(255),
        ExtendedOffsetTableLengths: new Uint8Array(16).fill(255),
      },
    ],
  ] as [Buffer, KeywordDataSet][]) {
    const path = await hostile.store(withPixels(value, values));
    if (path === undefined) continue;
    const answers = await hostile.askAll(path);
    for (const resource of ["/rendered", "/frames/1"])
      assert.notEqual(statusOf(answers, resource), 200, `${value.toString("hex", 0, 40)}`);
  }
  // Lengths of an extended table beyond the fragment end with the fragment.
  const beyond = { ExtendedOffsetTable: new Uint8Array(8), ExtendedOffsetTableLengths: new Uint8Array(8).fill(127) };
  const path = await hostile.store(withPixels(Buffer.concat([item(0), item(40, some), end]), beyond));
  const [frame] =
    path === undefined ? [] : (await hostile.askAll(path)).filter(({ resource }) => resource === "/frames/1");
  assert.ok(frame === undefined || frame.status >= 400 || frame.body.length <= 40);
});

test("attack 44: pixels that are too short are refused, and no memory is used that was not filled", async () => {
  for (const [length, values] of [
    [0, {}],
    [1, {}],
    [126, {}],
    [126, { NumberOfFrames: 2, Rows: 4 }],
    [10, { BitsAllocated: 1, BitsStored: 1, HighBit: 0, Rows: 64, Columns: 64 }],
    [100, { SamplesPerPixel: 3, PhotometricInterpretation: "YBR_FULL_422", PlanarConfiguration: 0 }],
  ] as [number, KeywordDataSet][]) {
    const answers = await hostile.attack({ ...values, PixelData: new Uint8Array(length) });
    for (const resource of ["/rendered", "/thumbnail"]) assert.notEqual(statusOf(answers, resource), 200);
  }
  const sources = ["base", "formats", "imaging", "trust", "radiology", "stores", "doors", "apps/server", "apps/cli"];
  for (const folder of sources) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
      assert.ok(!/allocUnsafe|new Buffer\(|SlowBuffer/.test(readFileSync(join(root, folder, name), "utf8")), name);
    }
  }
});

test("attack 45: overlays and icons of any size are left out or drawn where they are, and never beyond", async () => {
  const overlay = (
    rows: number,
    columns: number,
    origin: readonly number[],
    bytes: number,
    position = 0,
  ): KeywordDataSet => ({
    ...{
      "60000010": rows,
      "60000011": columns,
      "60000040": "G",
      "60000050": origin,
      "60000100": 1,
      "60000102": position,
    },
    ...(bytes > 0 && { "60003000": new Uint8Array(bytes).fill(255) }),
  });
  const plain = (await hostile.attack({})).find(({ resource }) => resource === "/rendered")?.body;
  for (const values of [
    overlay(65535, 65535, [1, 1], 8),
    overlay(0, 8, [1, 1], 8),
    overlay(8, 8, [1, 1], 2),
    overlay(8, 8, [-32768, -32768], 8),
    overlay(8, 8, [32767, 32767], 8),
    overlay(8, 8, [1, 1], 0, 255),
    { ...overlay(8, 8, [1, 1], 8), "60000015": 99999, "60000051": 65535 },
  ]) {
    const answers = await hostile.attack(values);
    const picture = answers.find(({ resource }) => resource === "/rendered");
    assert.ok(picture === undefined || (picture.status === 200 && plain?.equals(picture.body)), "shown as without it");
  }
  const partly = (await hostile.attack(overlay(8, 8, [-3, -3], 8))).find(({ resource }) => resource === "/rendered");
  assert.ok(partly === undefined || partly.status === 200);
  const icon = {
    Rows: 65535,
    Columns: 65535,
    BitsAllocated: 16,
    BitsStored: 99,
    SamplesPerPixel: 1,
    PixelData: new Uint8Array(8),
  };
  for (const answer of await hostile.attack({ IconImageSequence: [icon] }))
    assert.ok(answer.status === 200 || answer.status === 406);
});

test("attack 46: numbers of frames that are none, or more than there are, are refused", async () => {
  for (const frames of ["0", "-1", "999999", "2147483648", "99999999999", "1.5", "one"]) {
    const value = new TextEncoder().encode(frames.padEnd(frames.length + (frames.length % 2)));
    const answers = await hostile.attack({ NumberOfFrames: value });
    for (const resource of ["/rendered", "/frames/1"]) {
      const status = statusOf(answers, resource);
      // What is no number says nothing: one frame then.
      const isNothing = frames === "one";
      assert.ok(
        status === undefined || (status >= 400 && status < 500) || isNothing,
        `${frames} ${resource}: ${status}`,
      );
    }
  }
});

test("attack 48: extremes of rendering are refused, and lists of frames have an end", async () => {
  const path = await hostile.store(imageFile({ study: hostile.nextStudy(), sop: 1 }));
  assert.ok(path);
  for (const query of [
    "viewport=99999999,1",
    "viewport=8192,8192",
    "viewport=-1,-1",
    "viewport=1e308,1",
    "viewport=NaN,NaN",
    "viewport=8,8,0,0,99999,99999",
    "viewport=1,1,1,1,1,1,1",
    "window=1,0",
    "window=1e300,1e300",
    "window=Infinity,1",
    "window=0,-5",
    "window=1,2,quantum",
    "quality=101",
    "quality=-1",
    "quality=1e2",
  ]) {
    assert.equal((await hostile.door.server.inject({ url: `${path}/rendered?${query}` })).statusCode, 400, query);
  }
  for (const list of ["0", "-1", "1,,2", "1;2", "9999999999", "1-5", "0x1"]) {
    assert.equal((await hostile.door.server.inject({ url: `${path}/frames/${list}` })).statusCode, 400, list);
  }
  const million = `${path}/frames/${new Array(1_000_000).fill("1").join(",")}`;
  const answer = await hostile.door.server.inject({ url: million });
  assert.ok([400, 404, 414, 431].includes(answer.statusCode), `${answer.statusCode}`);
  const uri = `/dicom-web/wado?requestType=WADO&studyUID=1&seriesUID=1&objectUID=${sopUidOf(1, 1, 1)}`;
  for (const query of [
    "rows=99999",
    "columns=-1",
    "region=0,0,9,9",
    "region=NaN,0,1,1",
    "frameNumber=0",
    "windowCenter=1e99&windowWidth=1",
  ]) {
    assert.equal((await hostile.door.server.inject({ url: `${uri}&${query}` })).statusCode, 400, query);
  }
});
