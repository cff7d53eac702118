/**
 * The header of a 512 KiB CT, read by us, by dicom-parser and by dcmjs.
 *
 * All read the same file, made here by our own writer, up to pixel data, and in turns, round by round, so that noise
 * of the machine meets all of them.
 */
import dcmjs from "dcmjs";
import dicomParser from "dicom-parser";
import {
  createHeaderReader,
  createReader,
  pixelDataTags,
  readFile,
  Tag,
  TransferSyntaxUid,
  toDicomJson,
  writeFile,
} from "#formats/dicom";
import { ctSlice, uid } from "./ct-header.ts";
import { machine, median, print, table } from "./report.ts";

const wanted = [
  "SpecificCharacterSet SOPClassUID SOPInstanceUID StudyDate SeriesDate StudyTime SeriesTime AccessionNumber Modality",
  "ReferringPhysicianName StudyDescription SeriesDescription PatientName PatientID IssuerOfPatientID PatientBirthDate",
  "PatientSex BodyPartExamined StudyInstanceUID SeriesInstanceUID StudyID SeriesNumber InstanceNumber NumberOfFrames Rows",
  "Columns BitsAllocated",
].flatMap((line) => line.split(" ").map((keyword) => Tag[keyword as keyof typeof Tag]));

const file = writeFile(
  {
    mediaStorageSopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    mediaStorageSopInstanceUid: uid(9001),
    transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian,
    implementationClassUid: "2.25.1",
    implementationVersionName: "BENCH",
  },
  ctSlice,
);
const heads = new Float64Array(4096);

/** Tag, VR, offset and length of every element and item up to pixel data: what dicom-parser keeps too. */
function ourHeads(): number {
  let n = 0;
  const reader = createReader({
    stopBefore: pixelDataTags,
    events: {
      element(tag, vr, offset, length) {
        heads[n++] = tag;
        heads[n++] = vr.charCodeAt(0) * 256 + vr.charCodeAt(1);
        heads[n++] = offset;
        heads[n++] = length;
      },
      sequenceStart(tag, _vr, offset, length) {
        heads[n++] = tag;
        heads[n++] = 0x5351;
        heads[n++] = offset;
        heads[n++] = length;
      },
    },
  });
  reader.write(file);
  return n / 4;
}

function ourHeader(): string | undefined {
  const reader = createHeaderReader({ wanted });
  reader.write(file);
  return reader.header().dataSet.text(Tag.StudyInstanceUID);
}

const dcmjsOptions = { untilTag: "7FE00010", ignoreErrors: true };
const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
const contenders: Record<string, () => unknown> = {
  "ours: every head": ourHeads,
  "ours: data set": () => readFile(file, { stopBefore: pixelDataTags }).dataSet.elements.length,
  "ours: header of intake": ourHeader,
  "dicom-parser": () => Object.keys(dicomParser.parseDicom(file, { untilTag: "x7fe00010" }).elements).length,
  dcmjs: () => Object.keys(dcmjs.data.DicomMessage.readFile(buffer, dcmjsOptions).dict).length,
  "ours: DICOM JSON": () => toDicomJson(readFile(file, { stopBefore: pixelDataTags }).dataSet),
};

const rounds = 40;
const warmUpRounds = 10;

/** In turns, round by round; the best and the median round of each. */
export async function header(): Promise<void> {
  print(`A file of ${file.length} bytes, ${ourHeads()} elements before pixel data, ${rounds} rounds. ${machine()}.`);
  const micros = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]));
  dcmjs.log.setLevel(dcmjs.log.levels.SILENT);
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const times = name === "dcmjs" ? 10 : 200;
      const from = performance.now();
      for (let i = 0; i < times; i++) run();
      if (round >= 0) micros.get(name)?.push(((performance.now() - from) * 1000) / times);
    }
  }
  const best = (name: string) => Math.min(...(micros.get(name) ?? []));
  const middle = (name: string) => median(micros.get(name) ?? []);
  const against = (peer: string, name: string) =>
    name.startsWith("ours") ? (middle(peer) / middle(name)).toFixed(1) : "";
  print(
    table(
      ["reader", "best µs", "median µs", "dicom-parser takes × as long", "dcmjs takes ×"],
      Object.keys(contenders).map((name) => [
        name,
        best(name).toFixed(1),
        middle(name).toFixed(1),
        against("dicom-parser", name),
        against("dcmjs", name),
      ]),
    ),
  );
}
