// Rows 17 to 27 of the attack table: files and data sets that lie about their structure, through STOW-RS, C-STORE and `leadglass import`.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readFile, Tag } from "#formats/dicom";
import { dataFolder } from "../house/index.ts";
import { type AttackedHouse, startHouseWithModality } from "./attacked-house.fixture.ts";
import {
  bare,
  bytesOf,
  createFiles,
  cStored,
  element,
  endless,
  type HostileFile,
  implicitVr,
  imported,
  isKept,
  item,
  itemEnd,
  retrieved,
  sequenceEnd,
  sizeOf,
  stowed,
  text,
  uid,
  untilIndexed,
  us,
} from "./hostile-files.fixture.ts";

let house: AttackedHouse;
before(async () => (house = await startHouseWithModality()));
after(() => house?.remove());

const sequenceTag = 0x00081140;

/** Each is refused by STOW-RS and by C-STORE, where its data set is what is wrong with it, and nothing of it is there afterwards. */
async function areRefused(files: readonly HostileFile[], { alsoByAssociation = true } = {}): Promise<void> {
  await house.under({ inputBytes: 2 * sizeOf(files) }, async () => {
    for (const [index, file] of files.entries()) assert.equal(await stowed(house, bytesOf(file)), 409, `file ${index}`);
    if (!alsoByAssociation) return;
    for (const [index, status] of (await cStored(house, files)).entries()) {
      assert.ok(status === 0xa700 || ((status ?? 0) & 0xf000) === 0xc000, `file ${index}: ${status?.toString(16)}`);
    }
  });
}

/** Each is stored, by STOW-RS, and comes back with the data set that it had. */
async function areKept(files: readonly HostileFile[]): Promise<void> {
  await house.under({ inputBytes: sizeOf(files), studies: 1 }, async () => {
    for (const [index, file] of files.entries()) assert.equal(await stowed(house, bytesOf(file)), 200, `file ${index}`);
    await untilIndexed(house, files[0]!.studyUid, files.length);
    for (const file of files) await isKept(house, file);
  });
}

test("attack 17: what stands in front of the prefix is no program, script or page when it leaves; only a TIFF directory stays", async () => {
  const { file } = createFiles(17);
  const programs = [
    "MZ\x90\0",
    "\x7fELF\x02",
    "\xfe\xed\xfa\xcf",
    "\xca\xfe\xba\xbe",
    "#!/bin/sh\nid\n",
    '{"a":1}',
    "%PDF-1.7\n",
  ]
    .concat(["PK\x03\x04", "GIF89a", "<html><script>", "\0asm", "BM", "\xff\xd8\xff\xe0", "MM\0", "<?php "])
    .map((start) => ({ start, file: file(), stays: false }));
  const tiffs = ["II*\0\x08\0\0\0", "MM\0*\0\0\0\x08", "II+\0\x08\0\0\0"].map((start) => ({
    start,
    file: file(),
    stays: true,
  }));
  const all = [...programs, ...tiffs];
  await house.under({ studies: 1 }, async () => {
    for (const { start, file } of all) {
      assert.equal(await stowed(house, bytesOf(file, Buffer.from(start, "latin1"))), 200, start);
    }
    await untilIndexed(house, all[0]!.file.studyUid, all.length);
    for (const { start, file, stays } of all) {
      const { headers, file: back } = await retrieved(house, file);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(back.subarray(128, 132).toString(), "DICM");
      const given = Buffer.concat([Buffer.from(start, "latin1"), Buffer.alloc(128)]).subarray(0, 128);
      assert.ok(back.subarray(0, 128).equals(stays ? given : Buffer.alloc(128)), start);
    }
  });
});

const groupLength = (length: number) => (elements: Map<number, Buffer>) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(length >>> 0);
  const rest = [...elements];
  elements.clear();
  elements.set(0x00020000, element(0x00020000, "UL", bytes));
  for (const [tag, value] of rest) elements.set(tag, value);
};

test("attack 18: the length that the file meta information says of itself is not believed", async () => {
  const { file } = createFiles(18);
  const lies = [0, 1, 7, 8, 0x7fffffff, 0xfffffffe, 0xffffffff, 9_999_999];
  await areKept(lies.map((length) => file(undefined, { meta: groupLength(length) })));
});

test("attack 19: 117 elements of the file meta information in VRs that do not belong there take no memory on their word", async () => {
  const { file } = createFiles(19);
  const vrs = "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV"
    .split(" ")
    .concat(["ZZ", "??", "\0\0", "un", "  "]);
  const files = vrs.flatMap((vr) =>
    [endless, 0x7fffffff, 0xffff].map((length) =>
      file(undefined, {
        meta: (elements) => elements.set(0x00020013, element(0x00020013, vr, Buffer.alloc(4), length)),
      }),
    ),
  );
  assert.equal(files.length, 117);
  await areRefused(files, { alsoByAssociation: false });
});

test("attack 20: file meta information that says something twice, has elements without end, or is cut, is refused", async () => {
  const { file } = createFiles(20);
  const twice = (tag: number, value: Uint8Array) =>
    file(undefined, { meta: (elements) => elements.set(0x0002fff0, element(tag, "UI", value)) });
  const many = file(undefined, {
    meta: (elements) => {
      for (let tag = 0x00020102; tag < 0x00020102 + 1_000; tag++) elements.set(tag, element(tag, "LO", text("x")));
    },
  });
  await areRefused([twice(0x00020010, uid(implicitVr)), twice(0x00020003, uid("1.2.3")), many], {
    alsoByAssociation: false,
  });
  const whole = bytesOf(file());
  const behind = whole.length - file().dataSet.length;
  await house.under({}, async () => {
    for (let end = 133; end < behind; end += 3)
      assert.equal(await stowed(house, whole.subarray(0, end)), 409, `${end}`);
  });
});

test("attack 21: a value that is longer than what there is of it is refused, and nothing is allocated for it", async () => {
  const { file } = createFiles(21);
  const lying = [0xfffffffe, 0xfffffff0, 0x80000000, 0x7ffffffe, 1_000_000].flatMap((length) => [
    file((elements) => elements.set(0x7fe00010, element(0x7fe00010, "OW", Buffer.alloc(128), length))),
    file((elements) => elements.set(0x00091010, element(0x00091010, "UN", Buffer.alloc(10), length))),
    file((elements) => elements.set(0x00100020, bare(0x00100020, text("H"), length)), {
      transferSyntaxUid: implicitVr,
    }),
  ]);
  await areRefused(lying);
});

test("attack 22: sequences and items of undefined length without their delimiters are refused", async () => {
  const { file } = createFiles(22);
  const opened = (levels: number) =>
    Buffer.concat(
      Array.from({ length: levels }, () => [
        element(sequenceTag, "SQ", Buffer.alloc(0), endless),
        item(Buffer.alloc(0), endless),
      ]).flat(),
    );
  const files = [1, 2, 30, 63].map((levels) => file(undefined, { behind: opened(levels) }));
  const fragments = Buffer.concat([
    element(0x7fe00010, "OB", Buffer.alloc(0), endless),
    item(Buffer.alloc(0)),
    item(Buffer.alloc(50)),
  ]);
  await areRefused([...files, file((elements) => elements.set(0x7fe00010, fragments))]);
});

test("attack 23: sequences 500 to 100,000 deep are refused without recursion", async () => {
  const { file } = createFiles(23);
  const levelOf = Buffer.concat([element(sequenceTag, "SQ", Buffer.alloc(0), endless), item(Buffer.alloc(0), endless)]);
  const ends = Buffer.concat([itemEnd, sequenceEnd]);
  const files = [65, 500, 5_000, 100_000].map((levels) =>
    file((elements) =>
      elements.set(sequenceTag, Buffer.concat([...Array(levels).fill(levelOf), ...Array(levels).fill(ends)])),
    ),
  );
  await areRefused(files);
});

test("attack 25: a size of the pixels in another VR than its own is refused: two readers would see two sizes", async () => {
  const { file } = createFiles(25);
  const tags = [0x00280002, 0x00280006, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103];
  const files = tags.flatMap((tag) => [
    file((elements) => elements.set(tag, element(tag, "UL", Buffer.from([8, 0, 1, 0])))),
    file((elements) => elements.set(tag, element(tag, "IS", text("8")))),
    file((elements) => elements.set(tag, element(tag, "US", us(8, 1)))),
  ]);
  await areRefused(files);
});

test("attack 26: odd lengths and wrong padding shift nothing that comes behind them", async () => {
  const { file } = createFiles(26);
  const odd = [
    ...[0x00080050, 0x00081030, 0x00100020, 0x00080060].map((tag) => [tag, "LO", Buffer.from("abc")] as const),
    [0x00100010, "PN", Buffer.from("A^B")] as const,
    [0x00081030, "LO", Buffer.from("abc\0")] as const,
    [0x00081030, "LO", Buffer.from("a\0\0\0")] as const,
  ].map(([tag, vr, value]) => file((elements) => elements.set(tag, element(tag, vr, value))));
  await areKept(odd);
  for (const each of odd) {
    const { dataSet } = readFile((await retrieved(house, each)).file);
    assert.equal(dataSet.text(Tag.StudyInstanceUID), each.studyUid);
    assert.deepEqual([dataSet.number(Tag.Rows), dataSet.number(Tag.Columns)], [8, 8]);
  }
});

test("attack 27: without one of four UIDs an instance is refused; without what its pixels need it is shown to nobody, with the reason", async () => {
  const { file, studyUid } = createFiles(27);
  const without = (tag: number) => file((elements) => elements.delete(tag));
  await areRefused([0x00080016, 0x00080018, 0x0020000d, 0x0020000e].map(without));
  const needed = [0x00280004, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280002, 0x00280103, 0x7fe00010];
  const kept = needed.map(without);
  await areKept(kept);
  for (const [index, { seriesUid, sopUid }] of kept.entries()) {
    const path = `/dicom-web/studies/${studyUid}/series/${seriesUid}/instances/${sopUid}`;
    for (const end of ["/rendered", "/frames/1", "/thumbnail", "/metadata"]) {
      const answer = await house.fetch(`${path}${end}`);
      await answer.arrayBuffer();
      assert.ok(answer.status < 500, `${needed[index]?.toString(16)}${end}: ${answer.status}`);
      if (end === "/rendered" && [0x00280010, 0x00280011, 0x7fe00010].includes(needed[index]!)) {
        assert.ok(answer.status >= 400, `${needed[index]?.toString(16)}`);
      }
    }
  }
});

const malformed = join(dataFolder, "dicom", "malformed");

/** Every file of the public collection of malformed ones. */
function malformedFiles(): { name: string; bytes: Buffer }[] {
  try {
    return readdirSync(malformed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".md"))
      .map((entry) => ({ name: entry.name, bytes: readFileSync(join(entry.parentPath, entry.name)) }));
  } catch {
    return [];
  }
}

test("every malformed file of the public collection, through each door: stored or refused, by each alike", async (t) => {
  const files = malformedFiles();
  if (files.length === 0) return t.skip("needs the public sample data beside the repository");
  const inputBytes = 3 * files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const found = async () => ((await (await house.fetch("/dicom-web/studies?limit=1000")).json()) as unknown[]).length;
  const before = await found();
  const byStow: boolean[] = [];
  await house.under({ inputBytes, studies: await addedBy(files) }, async () => {
    for (const { name, bytes } of files) {
      const status = await stowed(house, bytes);
      assert.ok(status === 200 || status === 409, `${name}: ${status}`);
      byStow.push(status === 200);
    }
    const { stored, refused } = imported(house, files);
    assert.deepEqual([stored, refused], [byStow.filter(Boolean).length, byStow.filter((each) => !each).length]);
    await byAssociation(files, byStow);
  });
  assert.ok((await found()) >= before);
});

/** Studies that those of the files have which are stored: told by storing them before, so that the attack adds none. */
async function addedBy(files: readonly { bytes: Buffer }[]): Promise<number> {
  for (const { bytes } of files) await stowed(house, bytes);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return 0;
}

/** Those that say in a readable way what they are, over associations: as STOW-RS judged them. */
async function byAssociation(
  files: readonly { name: string; bytes: Buffer }[],
  byStow: readonly boolean[],
): Promise<void> {
  let tried = 0;
  for (const [index, { name, bytes }] of files.entries()) {
    const read = readFile(bytes, { partial: true });
    const [sopClassUid, sopUid] = [
      read.dataSet.text(Tag.SOPClassUID) ?? "",
      read.dataSet.text(Tag.SOPInstanceUID) ?? "",
    ];
    if (![sopClassUid, sopUid, read.transferSyntaxUid].every((one) => /^[0-9][0-9.]{4,63}$/.test(one))) continue;
    const dataSet = bytes.subarray(read.dataSetOffset);
    const given = { studyUid: "", seriesUid: "", meta: bytes.subarray(0, 0), dataSet };
    const [status] = await cStored(house, [
      { ...given, sopClassUid, sopUid, transferSyntaxUid: read.transferSyntaxUid },
    ]).catch(() => []);
    tried++;
    if (status !== undefined) assert.equal(status === 0, byStow[index], `${name}: ${status.toString(16)}`);
  }
  assert.ok(tried > files.length / 2, `${tried} of ${files.length}`);
}

test("attack 24: a million empty items hold nobody up, at the door and when they are described; six million are over the budget", async () => {
  const { file } = createFiles(24);
  // Behind the UIDs: in front of them a data set is refused when they do not come soon.
  const holding = (value: Buffer) => file((elements) => elements.set(0x00400275, element(0x00400275, "SQ", value)));
  await areRefused([holding(Buffer.alloc(8 * 6_000_000, item(Buffer.alloc(0))))]);
  const oneEach = item(element(0x00080060, "CS", text("CT")));
  const kept = [Buffer.alloc(8 * 1_000_000, item(Buffer.alloc(0))), Buffer.alloc(18 * 90_000, oneEach)].map(holding);
  await areKept(kept);
  const [{ studyUid, seriesUid } = kept[0]!] = kept;
  const inputBytes = kept.reduce((sum, { dataSet }) => sum + dataSet.length, 0);
  await house.under({ inputBytes }, async () => {
    const answer = await house.fetch(`/dicom-web/studies/${studyUid}/series/${seriesUid}/metadata`);
    assert.equal(answer.status, 200);
    const described = (await answer.json()) as Record<string, { Value?: unknown[] }>[];
    const items = described.map((one) => one["00400275"]?.Value?.length ?? 0);
    assert.deepEqual(items.sort(), [0, 90_000], "by its UIDs alone, where there is no describing it");
  });
});
