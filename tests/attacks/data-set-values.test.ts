// Rows 28 to 36 of the attack table: values, character sets and references that lie, and what is made of them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { type DicomJson, fromDicomJson, readFile } from "#formats/dicom";
import { type AttackedHouse, startHouseWithModality } from "./attacked-house.fixture.ts";
import {
  bare,
  bytesOf,
  createFiles,
  cStored,
  element,
  endless,
  implicitVr,
  isKept,
  item,
  sequenceEnd,
  sizeOf,
  stowed,
  text,
  uid,
  untilIndexed,
} from "./hostile-files.fixture.ts";

let house: AttackedHouse;
before(async () => (house = await startHouseWithModality()));
after(() => house?.remove());

async function found(studyUid: string): Promise<DicomJson[]> {
  return (await (
    await house.fetch(`/dicom-web/studies?StudyInstanceUID=${studyUid}&includefield=all`)
  ).json()) as DicomJson[];
}

const payloads = [
  "%s%s%s%n%x",
  "$(id)",
  "`whoami`",
  "; ls /tmp ;",
  "' OR '1'='1",
  "'; DROP TABLE studies;--",
  "{{7*7}}",
].concat([
  "$\x7b7*7}",
  "<%= 7*7 %>",
  "#{7*7}",
  "../../etc/passwd",
  "<script>alert(1)</script>",
  "|| ping x",
  "\r\nX-Evil: 1",
  "=1+1",
]);

test("attack 29: formats, commands, statements and templates in values are data: found and given back as they are", async () => {
  const { file, studyUid } = createFiles(29);
  const files = payloads.map((payload) =>
    file((elements) => {
      for (const tag of [0x00100010, 0x00100020, 0x00081030, 0x00080050])
        elements.set(tag, element(tag, tag === 0x00100010 ? "PN" : "LO", text(payload)));
    }),
  );
  const printed = house.output().length;
  await house.under({ inputBytes: sizeOf(files), studies: 1 }, async () => {
    for (const each of files) assert.equal(await stowed(house, bytesOf(each)), 200);
    await untilIndexed(house, studyUid, files.length);
    for (const each of files) await isKept(house, each);
    const answer = await house.fetch(`/dicom-web/studies/${studyUid}/metadata`);
    const told = ((await answer.json()) as DicomJson[]).map((one) => one["00081030"]?.Value?.[0]);
    assert.deepEqual(told.sort(), [...payloads].sort());
    for (const payload of payloads) {
      const search = await house.fetch(`/dicom-web/studies?PatientID=${encodeURIComponent(payload)}`);
      assert.ok(search.status === 200 || search.status === 204, payload);
      await search.text();
      assert.equal(search.headers.get("x-evil"), null);
    }
  });
  for (const payload of payloads) assert.ok(!house.output().slice(printed).includes(payload), "no value is logged");
});

test("attack 30: character sets that lie, overlong UTF-8, NUL and marks of direction: the bytes stay, what is shown is text", async () => {
  const { file, studyUid } = createFiles(30);
  const names = [
    "\xc0\xaf\xc0\xae",
    "\xed\xa0\x80\xed\xb0\x80",
    "\xf8\x88\x80\x80\x80",
    "\x80\xbf",
    "A\0B^C\0",
    "\x1b$B\x30",
  ].concat(["\xe2\x80\xaeevil^\xe2\x80\x8b", "\xef\xbb\xbfA", "\xff\xfeA\0", "\x01\x02\x7f", "A\x1b[31mB"]);
  const sets = [
    "",
    "ISO_IR 192",
    "ISO_IR 100",
    "ISO 2022 IR 87",
    "GB18030",
    "no such set",
    "ISO_IR 192\\ISO 2022 IR 149",
  ];
  const files = names.flatMap((name) =>
    sets.map((set) =>
      file((elements) => {
        elements.set(0x00080005, element(0x00080005, "CS", text(set)));
        elements.set(0x00100010, element(0x00100010, "PN", text(name)));
        elements.set(0x00081030, element(0x00081030, "LO", text(name)));
      }),
    ),
  );
  await house.under({ inputBytes: sizeOf(files), studies: 1 }, async () => {
    for (const each of files) assert.equal(await stowed(house, bytesOf(each)), 200);
    await untilIndexed(house, studyUid, files.length);
    for (const each of files) await isKept(house, each);
    const shown = await (await house.fetch(`/dicom-web/studies/${studyUid}/metadata`)).text();
    assert.ok(shown.isWellFormed());
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there
    assert.doesNotMatch(shown, /[\x00-\x08\x0b\x0c\x0e-\x1f]/);
    assert.ok((await found(studyUid)).length === 1);
  });
});

test("attack 31: a transfer syntax that is not what it says it is harms nobody, and one that is no UID is refused", async () => {
  const { file, studyUid } = createFiles(31);
  const says = (value: string) =>
    file(undefined, { meta: (elements) => elements.set(0x00020010, element(0x00020010, "UI", uid(value))) });
  const none = ["../../etc/passwd", "1.2.840.10008.1.2.1/..", "x", "1..2", `1.${"2".repeat(70)}`].map(says);
  await house.under({ inputBytes: sizeOf(none) }, async () => {
    for (const each of none) assert.equal(await stowed(house, bytesOf(each)), 409);
  });
  // Explicit little endian bytes under other names: those of compressed syntaxes read as they are, as does one nobody knows.
  const lies = [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.5",
    "1.2.3.999",
  ].map(says);
  const broken = ["1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"].map(says);
  await house.under({ inputBytes: sizeOf(lies), studies: 1 }, async () => {
    for (const each of broken) assert.equal(await stowed(house, bytesOf(each)), 409);
    for (const each of lies) assert.equal(await stowed(house, bytesOf(each)), 200);
    await untilIndexed(house, studyUid, lies.length);
    for (const each of lies) {
      await isKept(house, each);
      for (const end of ["rendered", "frames/1"]) {
        const path = `/dicom-web/studies/${studyUid}/series/${each.seriesUid}/instances/${each.sopUid}/${end}`;
        const answer = await house.fetch(path);
        await answer.arrayBuffer();
        assert.ok(answer.status < 500 || answer.status === 501, `${end}: ${answer.status}`);
      }
    }
  });
});

test("attack 32: a deflated data set that swells to 512 MiB is refused where it is over the ratio", async () => {
  const { file } = createFiles(32);
  const { dataSet, ...others } = file(undefined, { transferSyntaxUid: "1.2.840.10008.1.2.1" });
  const bomb = deflateRawSync(Buffer.concat([dataSet, element(0x7fe10010, "OB", Buffer.alloc(512 * 2 ** 20))]), {
    level: 9,
  });
  assert.ok(bomb.length < 600_000, `${bomb.length} bytes`);
  const deflated = file(undefined, { transferSyntaxUid: "1.2.840.10008.1.2.1.99" });
  const hostile = { ...others, ...deflated, dataSet: bomb };
  await house.under({ inputBytes: 2 * bomb.length }, async () => {
    assert.equal(await stowed(house, bytesOf(hostile)), 409);
    const [status] = await cStored(house, [hostile]);
    assert.ok(status === 0xa700 || ((status ?? 0) & 0xf000) === 0xc000, status?.toString(16));
  });
});

test("attack 33: elements of commands, of file meta information, of directories and of group FFFF are in no data set", async () => {
  const { file } = createFiles(33);
  const tags = [
    0x00000100, 0x00000002, 0x00010010, 0x00020010, 0x00030000, 0x00041220, 0x00050010, 0x0006ff00, 0x00070001,
    0xffff0010,
  ];
  const files = tags.flatMap((tag) => [
    file((elements) => elements.set(tag, element(tag, "LO", text("x")))),
    file((elements) => elements.set(0x00400275, element(0x00400275, "SQ", item(element(tag, "LO", text("x")))))),
  ]);
  await house.under({ inputBytes: sizeOf(files) }, async () => {
    for (const [index, each] of files.entries()) {
      // At the very beginning group 0002 is the file meta information itself, and stands twice there.
      assert.equal(await stowed(house, bytesOf(each)), 409, `file ${index}`);
    }
    for (const [index, status] of (await cStored(house, files)).entries())
      assert.equal((status ?? 0) & 0xf000, 0xc000, `file ${index}: ${status?.toString(16)}`);
  });
});

test("attack 34: instances that reference themselves and each other in a circle are walked once", async () => {
  const { file, studyUid } = createFiles(34);
  const count = 6;
  const uids = Array.from({ length: count }, () => file().sopUid);
  const reference = (sopUid: string) =>
    item(
      Buffer.concat([
        element(0x00081150, "UI", uid("1.2.840.10008.5.1.4.1.1.2")),
        element(0x00081155, "UI", uid(sopUid)),
      ]),
    );
  const circle = uids
    .map((sopUid, index) =>
      file((elements) => {
        const refers = Buffer.concat([reference(uids[(index + 1) % count]!), reference(sopUid)]);
        elements.set(0x00080018, element(0x00080018, "UI", uid(sopUid)));
        elements.set(0x00081140, element(0x00081140, "SQ", refers));
        elements.set(0x00081115, element(0x00081115, "SQ", item(element(0x00081199, "SQ", refers))));
      }),
    )
    .map((each, index) => ({ ...each, sopUid: uids[index]! }));
  await house.under({ inputBytes: sizeOf(circle), studies: 1 }, async () => {
    for (const each of circle) assert.equal(await stowed(house, bytesOf(each)), 200);
    await untilIndexed(house, studyUid, count);
    for (const end of ["metadata", "instances", "series", "thumbnail"]) {
      const answer = await house.fetch(`/dicom-web/studies/${studyUid}/${end}`);
      await answer.arrayBuffer();
      assert.ok(answer.status < 500, `${end}: ${answer.status}`);
    }
    for (const each of circle) await isKept(house, each);
  });
});

test("attack 35: functional groups for more frames, or fewer, than there are give no frame that is not there", async () => {
  const { file, studyUid } = createFiles(35);
  const group = item(element(0x00289110, "SQ", item(element(0x00280030, "DS", text("1\\1")))));
  const pairs = [
    [10, 3],
    [1, 50],
    [3, 0],
    [999_999, 1],
    [0, 2],
    [-1, 1],
  ] as const;
  const files = pairs.map(([frames, groups]) =>
    file((elements) => {
      elements.set(0x00280008, element(0x00280008, "IS", text(String(frames))));
      elements.set(0x52009230, element(0x52009230, "SQ", Buffer.concat(Array(groups).fill(group))));
    }),
  );
  await house.under({ inputBytes: sizeOf(files), studies: 1 }, async () => {
    for (const each of files) assert.ok([200, 409].includes(await stowed(house, bytesOf(each))));
    await untilIndexed(house, studyUid, 1);
    for (const { seriesUid, sopUid } of files) {
      for (const frame of [2, 4, 10, 999_999]) {
        for (const end of ["", "/rendered"]) {
          const path = `/dicom-web/studies/${studyUid}/series/${seriesUid}/instances/${sopUid}/frames/${frame}${end}`;
          const answer = await house.fetch(path);
          await answer.arrayBuffer();
          assert.ok(answer.status >= 400 && answer.status < 500, `${path}: ${answer.status}`);
        }
      }
    }
  });
});

test("attack 36: keys like __proto__ in DICOM JSON, and in any JSON that is taken, change no object but their own", async () => {
  const names = Object.getOwnPropertyNames(Object.prototype).join();
  for (const key of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
    const evil = `{"${key}":{"polluted":true,"vr":"LO","Value":["x"]}}`;
    assert.throws(() => fromDicomJson(JSON.parse(evil)), { code: "invalid" });
    assert.throws(() => fromDicomJson(JSON.parse(`{"00400275":{"vr":"SQ","Value":[${evil}]}}`)), { code: "invalid" });
    fromDicomJson(JSON.parse(`{"00100020":{"vr":"LO","Value":["x"],"${key}":{"polluted":true}}}`));
  }
  assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), names);
  assert.equal(Reflect.get({}, "polluted"), undefined);
  await house.under({ inputBytes: 10_000 }, async () => {
    for (const path of ["/api/session", "/api/grants", "/api/devices"]) {
      for (const body of ['{"__proto__":{"isAdmin":true}}', '{"constructor":{"prototype":{"isAdmin":true}}}']) {
        const answer = await house.fetch(path, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body,
        });
        await answer.text();
        assert.ok(answer.status >= 400 && answer.status < 500, `${path}: ${answer.status}`);
      }
    }
    assert.equal((await house.fetch("/api/status")).status, 200);
  });
});

test("a fragment list without its delimiter, inside an item without end, is refused too", async () => {
  const { file } = createFiles(99);
  const behind = Buffer.concat([
    element(0x00400275, "SQ", Buffer.alloc(0), endless),
    item(Buffer.alloc(0), endless),
    sequenceEnd,
  ]);
  const cut = file(undefined, { behind: behind.subarray(0, behind.length - 4) });
  await house.under({}, async () => assert.equal(await stowed(house, bytesOf(cut)), 409));
  assert.equal(readFile(bytesOf(file())).dataSet.text(0x00100020), "H-66");
});

/** Lengths from 256 bytes to a mebibyte, both sides of every power of two, and those that parsers keep buffers of. */
const lengths = [
  256, 257, 512, 1_000, 1_023, 1_024, 1_025, 2_048, 4_095, 4_096, 4_097, 8_192, 10_000, 16_384, 32_768,
].concat([60_000, 65_534, 65_536, 100_000, 131_072, 262_144, 524_288, 1_048_576]);

test("attack 28: 115 names, 74 texts and 38 UIDs of up to a mebibyte are kept as data, or refused, and fill no buffer", async () => {
  const { file, studyUid } = createFiles(28);
  const written = (tag: number, value: Buffer) =>
    file((elements) => elements.set(tag, bare(tag, value)), { transferSyntaxUid: implicitVr });
  const fillings = ["A", "\xff", "%n", "^", "=A"];
  const names = lengths.flatMap((length) =>
    fillings.map((filling) => written(0x00100010, Buffer.alloc(length, filling, "latin1"))),
  );
  const texts = [0x00081030, 0x00100020, 0x00081010]
    .flatMap((tag) => lengths.map((length) => written(tag, Buffer.alloc(length, length > 65_536 ? "L" : "L\\"))))
    .concat(lengths.slice(0, 5).map((length) => written(0x00200010, Buffer.alloc(length, "I"))));
  const uids = [0x0020000d, 0x00080018].flatMap((tag) =>
    lengths.slice(0, 19).map((length) => written(tag, Buffer.alloc(length, "1.2"))),
  );
  assert.deepEqual([names.length, texts.length, uids.length], [115, 74, 38]);
  const kept = [...names, ...texts];
  await house.under({ inputBytes: sizeOf([...kept, ...uids]), studies: 1 }, async () => {
    for (const each of kept) assert.equal(await stowed(house, bytesOf(each)), 200);
    for (const each of uids) assert.equal(await stowed(house, bytesOf(each)), 409);
    await untilIndexed(house, studyUid, kept.length);
    for (const each of kept.slice(-3)) await isKept(house, each);
  });
});
