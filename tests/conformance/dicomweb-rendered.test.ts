import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import sharp from "sharp";
import { elementsOf, type KeywordDataSet, readFile, TransferSyntaxUid, writeFile } from "#formats/dicom";
import { phantomFiles } from "#imaging/phantoms";
import { operator } from "#trust/access";
import { dataFolder, has } from "../house/index.ts";
import { type OpenDoor, openDoor, storeIn } from "./dicomweb-door.fixture.ts";
import { imageFile, seriesUidOf, sopUidOf, studyUidOf } from "./dicomweb-files.fixture.ts";

let door: OpenDoor;
before(async () => {
  door = await openDoor();
});
after(() => door.close());

async function store(bytes: Uint8Array): Promise<string> {
  const path = await storeIn(door, bytes);
  assert.ok(path);
  return path;
}

const get = (url: string, accept = "*/*") => door.server.inject({ url, headers: { accept } });
const grayOf = (bytes: Buffer) => sharp(bytes).toColourspace("b-w").raw().toBuffer();
const sample = (name: string) => join(dataFolder, "dicom", name);

/** A picture of 8 bits, 16 by 8, each column 10 brighter than the one before. */
const ramp = (study: number, values: KeywordDataSet = {}) =>
  imageFile({
    study,
    rows: 8,
    columns: 16,
    values: {
      BitsAllocated: 8,
      BitsStored: 8,
      HighBit: 7,
      PixelData: Uint8Array.from({ length: 128 }, (_, at) => (at % 16) * 10),
      ...values,
    },
  });

const grayscaleState = "1.2.840.10008.5.1.4.1.1.11.1";

/** A presentation state of the ramp of the same study. */
function state(study: number, sop: number, values: KeywordDataSet): Uint8Array {
  const sopUid = sopUidOf(study, 9, sop);
  const referenced = [
    { ReferencedSOPClassUID: "1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID: sopUidOf(study, 1, 1) },
  ];
  return writeFile(
    {
      mediaStorageSopClassUid: grayscaleState,
      mediaStorageSopInstanceUid: sopUid,
      transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian,
      implementationClassUid: "1.2.3",
      implementationVersionName: "TEST",
    },
    elementsOf({
      SpecificCharacterSet: "ISO_IR 100",
      SOPClassUID: grayscaleState,
      SOPInstanceUID: sopUid,
      StudyInstanceUID: studyUidOf(study),
      SeriesInstanceUID: seriesUidOf(study, 9),
      Modality: "PR",
      PatientID: `P${study}`,
      PatientName: `Müller^Anna ${study}`,
      ReferencedSeriesSequence: [{ SeriesInstanceUID: seriesUidOf(study, 1), ReferencedImageSequence: referenced }],
      PresentationLUTShape: "IDENTITY",
      ...values,
    }),
  );
}

test("every picture type that is asked for is what it says, and no other is offered", async () => {
  const path = await store(ramp(21));
  for (const [accept, format] of [
    ["*/*", "jpeg"],
    ["image/png", "png"],
    ["image/gif", "gif"],
    ["video/mp4, image/jpeg;q=0.5", "jpeg"],
  ] as const) {
    const answer = await get(`${path}/rendered`, accept);
    assert.equal(answer.statusCode, 200, accept);
    assert.equal((await sharp(answer.rawPayload).metadata()).format, format);
  }
  for (const accept of ["video/mp4", "image/jp2", "application/pdf"]) {
    assert.equal((await get(`${path}/rendered`, accept)).statusCode, 406, accept);
  }
  const asked = await get(`${path}/rendered?annotation=patient,technique&iccprofile=srgb`);
  assert.match(String(asked.headers.warning), /annotation/);
  for (const query of ["iccprofile=cmyk", "annotation=all", "quality=0", "window=1", "viewport=0,0"]) {
    assert.equal((await get(`${path}/rendered?${query}`)).statusCode, 400, query);
  }
});

test("several frames move as GIF, and one of them is still", async () => {
  const [cine] = phantomFiles({ kind: "xa-cine", frames: 3, size: 32 });
  const path = await store(cine as Uint8Array);
  const moving = await sharp((await get(`${path}/rendered`, "image/gif")).rawPayload, { animated: true }).metadata();
  assert.deepEqual([moving.pages, moving.pageHeight, moving.loop], [3, 32, 0]);
  const still = await get(`${path}/frames/2/rendered`, "image/gif");
  assert.equal((await sharp(still.rawPayload, { animated: true }).metadata()).pages ?? 1, 1);
});

test("a presentation state is shown by its image: window, turns, area, shutter, and what is drawn", async () => {
  await store(ramp(22));
  const shown = async (sop: number, values: KeywordDataSet) => {
    const answer = await get(`${await store(state(22, sop, values))}/rendered`, "image/png");
    assert.equal(answer.statusCode, 200, answer.body);
    const { width, height } = await sharp(answer.rawPayload).metadata();
    return { width, height, pixels: await grayOf(answer.rawPayload) };
  };
  const plain = await shown(1, { SoftcopyVOILUTSequence: [{ WindowCenter: 50.5, WindowWidth: 101 }] });
  assert.deepEqual([...plain.pixels.subarray(0, 4)], [0, 25, 51, 77]);
  const turned = await shown(2, {
    SoftcopyVOILUTSequence: [{ WindowCenter: 50.5, WindowWidth: 101 }],
    ImageRotation: 90,
    ImageHorizontalFlip: "Y",
  });
  assert.deepEqual([turned.width, turned.height], [8, 16]);
  assert.deepEqual([turned.pixels[0], turned.pixels[8], turned.pixels[16]], [0, 25, 51], "columns have become rows");
  const part = await shown(3, {
    DisplayedAreaSelectionSequence: [
      { DisplayedAreaTopLeftHandCorner: [3, 2], DisplayedAreaBottomRightHandCorner: [6, 3] },
    ],
  });
  assert.deepEqual([part.width, part.height, part.pixels[0]], [4, 2, 20]);
  const covered = await shown(4, {
    ShutterShape: ["RECTANGULAR", "CIRCULAR"],
    ...{ ShutterLeftVerticalEdge: 2, ShutterRightVerticalEdge: 15 },
    ...{ ShutterUpperHorizontalEdge: 2, ShutterLowerHorizontalEdge: 7 },
    ...{ CenterOfCircularShutter: [4, 8], RadiusOfCircularShutter: 3, ShutterPresentationValue: 65535 },
  });
  assert.deepEqual([covered.pixels[0], covered.pixels[3 * 16 + 7], covered.pixels[3 * 16 + 13]], [255, 70, 255]);
  const drawn = await shown(5, {
    GraphicAnnotationSequence: [
      {
        GraphicLayer: "A",
        GraphicObjectSequence: [
          {
            GraphicAnnotationUnits: "PIXEL",
            GraphicDimensions: 2,
            NumberOfGraphicPoints: 2,
            GraphicData: [1, 1, 16, 1],
            GraphicType: "POLYLINE",
            GraphicFilled: "N",
          },
        ],
        TextObjectSequence: [
          {
            AnchorPointAnnotationUnits: "PIXEL",
            AnchorPoint: [1, 4],
            AnchorPointVisibility: "N",
            UnformattedTextValue: "|",
          },
        ],
      },
    ],
    GraphicLayerSequence: [
      { GraphicLayer: "A", GraphicLayerOrder: 1, GraphicLayerRecommendedDisplayGrayscaleValue: 65535 },
    ],
  });
  assert.deepEqual([...drawn.pixels.subarray(0, 16)], new Array(16).fill(255));
  assert.notDeepEqual([...drawn.pixels.subarray(16)], [...(await shown(6, {})).pixels.subarray(16)]);
});

test("a presentation state of tables shows the picture that DCMTK makes of it", async (t) => {
  const [image, tables] = ["imageForPrLUTs.dcm", "prLUTs.dcm"].map((name) =>
    sample(`objects/presentation-state/${name}`),
  );
  if (image === undefined || tables === undefined || !existsSync(image))
    return t.skip("needs the sample data: set LEADGLASS_DATA");
  if (!has("dcmp2pgm")) return t.skip("needs dcmtk: apt install dcmtk");
  await store(readFileSync(image));
  const ours = await grayOf((await get(`${await store(readFileSync(tables))}/rendered`, "image/png")).rawPayload);
  const scratch = mkdtempSync(join(tmpdir(), "leadglass-states-"));
  t.after(() => rmSync(scratch, { recursive: true, force: true }));
  const made = join(scratch, "made.pgm");
  assert.equal(spawnSync("dcmp2pgm", ["-p", tables, image, made]).status, 0);
  const theirs = readFileSync(made);
  assert.ok(ours.equals(theirs.subarray(theirs.length - ours.length)));
});

test("overlays are drawn: those in the samples, those of their own, each frame its", async () => {
  const bits = Uint8Array.of(0b11, 0); // the first two pixels
  const path = await store(
    ramp(23, {
      "60000010": 1,
      "60000011": 16,
      "60000040": "G",
      "60000050": [2, 3],
      "60000100": 1,
      "60000102": 0,
      "60003000": bits,
    } as KeywordDataSet),
  );
  const pixels = await grayOf((await get(`${path}/rendered`, "image/png")).rawPayload);
  assert.deepEqual([...pixels.subarray(16 + 1, 16 + 5)], [10, 255, 255, 40]);
});

test("a report is text, a page in which nothing of it acts, and nothing else", async () => {
  const sopUid = sopUidOf(24, 1, 1);
  const code = (meaning: string) => [{ CodeValue: "1", CodingSchemeDesignator: "99X", CodeMeaning: meaning }];
  const report = writeFile(
    {
      mediaStorageSopClassUid: "1.2.840.10008.5.1.4.1.1.88.11",
      mediaStorageSopInstanceUid: sopUid,
      transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian,
      implementationClassUid: "1.2.3",
      implementationVersionName: "TEST",
    },
    elementsOf({
      SOPClassUID: "1.2.840.10008.5.1.4.1.1.88.11",
      SOPInstanceUID: sopUid,
      StudyInstanceUID: studyUidOf(24),
      SeriesInstanceUID: seriesUidOf(24, 1),
      Modality: "SR",
      PatientID: "P24",
      PatientName: "<b>Doe</b>^Jane",
      ValueType: "CONTAINER",
      ConceptNameCodeSequence: code("Report"),
      ContentSequence: [
        {
          RelationshipType: "CONTAINS",
          ValueType: "TEXT",
          ConceptNameCodeSequence: code("Finding"),
          TextValue: "<script>alert(1)</script>",
        },
        {
          RelationshipType: "CONTAINS",
          ValueType: "NUM",
          ConceptNameCodeSequence: code("Length"),
          MeasuredValueSequence: [{ NumericValue: "3.5", MeasurementUnitsCodeSequence: code("millimeter") }],
        },
      ],
    }),
  );
  const path = await store(report);
  const page = await get(`${path}/rendered`);
  assert.match(String(page.headers["content-type"]), /^text\/html/);
  assert.match(String(page.headers["content-security-policy"]), /default-src 'none'.*sandbox/);
  assert.ok(page.body.includes("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.body.includes("<script"), page.body);
  assert.ok(!page.body.includes("<b>"));
  const text = await get(`${path}/rendered`, "text/plain");
  assert.match(text.body, /Report\n {2}Finding: <script>alert\(1\)<\/script>\n {2}Length: 3\.5 millimeter/);
  assert.equal((await get(`${path}/rendered`, "image/png")).statusCode, 406);
});

const wado = (uids: readonly [number, number, number], more: Record<string, string> = {}) =>
  `/dicom-web/wado?${new URLSearchParams({
    requestType: "WADO",
    studyUID: studyUidOf(uids[0]),
    seriesUID: seriesUidOf(uids[0], uids[1]),
    objectUID: sopUidOf(...uids),
    ...more,
  })}`;

test("WADO-URI gives the picture, a part of it, a frame, or the instance in the syntax asked for", async () => {
  const file = ramp(25);
  await store(file);
  const one = [25, 1, 1] as const;
  const usual = await get(wado(one));
  assert.equal(usual.headers["content-type"], "image/jpeg");
  const png = { contentType: "image/png" };
  const part = await get(wado(one, { ...png, region: "0.25,0,0.5,0.5", windowCenter: "50.5", windowWidth: "101" }));
  const { width, height } = await sharp(part.rawPayload).metadata();
  assert.deepEqual([width, height, ...(await grayOf(part.rawPayload)).subarray(0, 2)], [4, 4, 102, 128]);
  const small = await sharp((await get(wado(one, { ...png, columns: "8" }))).rawPayload).metadata();
  assert.deepEqual([small.width, small.height], [8, 4]);
  await store(state(25, 1, { ImageRotation: 90 }));
  const presented = { presentationUID: sopUidOf(25, 9, 1), presentationSeriesUID: seriesUidOf(25, 9) };
  const turned = await sharp((await get(wado(one, { ...png, ...presented }))).rawPayload).metadata();
  assert.deepEqual([turned.width, turned.height], [8, 16]);
  const dicom = { contentType: "application/dicom" };
  const plain = await get(wado(one, dicom));
  assert.equal(readFile(plain.rawPayload).transferSyntaxUid, TransferSyntaxUid.explicitLittleEndian);
  const jls = await get(wado(one, { ...dicom, transferSyntax: TransferSyntaxUid.jpegLsLossless }));
  assert.equal(readFile(jls.rawPayload).transferSyntaxUid, TransferSyntaxUid.jpegLsLossless);
  const stored = await get(wado(one, { ...dicom, transferSyntax: "*" }));
  assert.ok(stored.rawPayload.equals(file));
});

test("WADO-URI of several frames is the instance, unless a frame is named", async () => {
  await store(imageFile({ study: 26, frames: 3 }));
  const one = [26, 1, 1] as const;
  assert.match(String((await get(wado(one))).headers["content-type"]), /^application\/dicom/);
  assert.equal((await get(wado(one, { frameNumber: "2" }))).headers["content-type"], "image/jpeg");
  assert.equal((await get(wado(one, { frameNumber: "4" }))).statusCode, 404);
});

test("WADO-URI refuses what it cannot do and what it cannot read, and finds only what is there", async () => {
  const one = [25, 1, 1] as const;
  const refused: [Record<string, string>, number][] = [
    [{ anonymize: "yes" }, 501],
    [{ contentType: "video/mpeg" }, 406],
    [{ contentType: "application/dicom", transferSyntax: "1.2.840.10008.1.2.4.50" }, 406],
    [{ objectUID: "1.2.3.4.5" }, 404],
    [{ requestType: "X" }, 400],
    [{ objectUID: "../etc" }, 400],
    [{ windowCenter: "1" }, 400],
    [{ rows: "0" }, 400],
    [{ region: "0,0,2,1" }, 400],
    [{ frameNumber: "-1" }, 400],
    [{ imageQuality: "101" }, 400],
    [{ transferSyntax: "x" }, 400],
    [{ presentationUID: "1.2.3" }, 400],
    [{ presentationUID: "1.2.3", presentationSeriesUID: "1.2" }, 404],
  ];
  for (const [more, status] of refused) {
    const answer = await get(wado(one, more));
    assert.equal(answer.statusCode, status, `${JSON.stringify(more)}: ${answer.body.slice(0, 200)}`);
  }
});

test("who sees identity masked is shown pixels that hold no name: what is known to be clean, without overlays", async (t) => {
  const masked = { ...operator, sees: "masked" } as const;
  const blinkered = await openDoor(undefined, {
    actorOf: ({ headers }) => (headers["x-masked"] === undefined ? operator : masked),
  });
  t.after(() => blinkered.close());
  const ultrasound = "1.2.840.10008.5.1.4.1.1.6.1";
  const shown = async (study: number, values: KeywordDataSet, headers: Record<string, string>) => {
    const answer = await blinkered.server.inject({
      method: "POST",
      url: "/dicom-web/studies",
      headers: { "content-type": "application/dicom" },
      payload: ramp(study, values),
    });
    assert.equal(answer.statusCode, 200, answer.body);
    const path = `/dicom-web/studies/${studyUidOf(study)}/series/${seriesUidOf(study, 1)}/instances/${sopUidOf(study, 1, 1)}`;
    const asked = await Promise.all(
      ["/rendered", "/thumbnail", "/frames/1"].map((way) => blinkered.server.inject({ url: `${path}${way}`, headers })),
    );
    return asked.map(({ statusCode }) => statusCode);
  };
  const all = [200, 200, 200];
  const none = [404, 404, 404];
  const hidden = { "x-masked": "1" };
  assert.deepEqual(await shown(31, {}, hidden), all, "a CT image that says nothing");
  assert.deepEqual(await shown(32, { BurnedInAnnotation: "YES" }, hidden), none);
  assert.deepEqual(await shown(33, { ImageType: ["DERIVED", "SECONDARY", "SCREEN SAVE"] }, hidden), none);
  assert.deepEqual(await shown(34, { SOPClassUID: ultrasound }, hidden), none, "ultrasound that says nothing");
  assert.deepEqual(await shown(35, { SOPClassUID: ultrasound, BurnedInAnnotation: "NO" }, hidden), all);
  assert.deepEqual(
    await shown(36, { SOPClassUID: ultrasound, BurnedInAnnotation: "YES" }, {}),
    all,
    "who may see it does",
  );
  const overlay = { "60000010": 8, "60000011": 16, "60000040": "G", "60000050": [1, 1], "60000100": 1, "60000102": 0 };
  assert.deepEqual(await shown(37, { ...overlay, "60003000": new Uint8Array(16).fill(255) }, hidden), all);
  const url = `/dicom-web/studies/${studyUidOf(37)}/rendered`;
  const pictures = await Promise.all(
    [hidden, {}].map((headers) => blinkered.server.inject({ url, headers: { ...headers, accept: "image/png" } })),
  );
  const [without, drawn] = await Promise.all(pictures.map(({ rawPayload }) => grayOf(rawPayload)));
  assert.ok(drawn?.every((value) => value === 255) && without?.some((value) => value < 255));
  assert.deepEqual(
    await shown(38, { ...overlay, "60000102": 12, "60000100": 16 }, hidden),
    none,
    "bits hidden in samples",
  );
});
