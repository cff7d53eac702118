/**
 * What packing for the link brings: each recipe by itself in one thread, restoring and comparing included, and then what the shrinker
 * chooses for a line of a given rate with as many threads as there are cores.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "#base/clock";
import { inputOf, pixelDataOf, readFile, Tag, TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import { createFrameCodecs } from "#imaging/codecs";
import { ingestSlices, type PhantomKind, phantomFiles } from "#imaging/phantoms";
import { createShrinker, type Packing, type PackingTask, type PackingWork, type Recipe } from "#radiology/images";
import { createPackingThreads, type PackingThreads } from "../apps/server/index.ts";
import { machine, print, table } from "./report.ts";

interface Source {
  readonly name: string;
  /** Explicit VR little endian, as most machines send. */
  readonly dataSets: readonly Uint8Array[];
}

const explicit = TransferSyntaxUid.explicitLittleEndian;
const codecs = createFrameCodecs();
const megabyte = 1e6;
/** What the link puts on the wire of what a line carries. */
const wireShare = 0.9;

const recipes: readonly Recipe[] = [
  { packing: "zstd", level: 1 },
  { packing: "zstd", level: 2 },
  { packing: "zstd", level: 3 },
  { packing: "htj2k", level: 3 },
  { packing: "jpeg-ls", level: 3 },
];

const sizeOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);

function generated(name: string, files: Iterable<Uint8Array>): Source {
  return { name, dataSets: Array.from(files, (file) => file.subarray(readFile(file).dataSetOffset)) };
}

const phantom = (kind: PhantomKind, options: { slices?: number; size?: number; frames?: number }) =>
  generated(`${kind}, made up`, phantomFiles({ kind, seed: 7, ...options }));

/** Files of the real data as a machine would have sent them: those of one frame that are compressed are decoded. */
async function real(name: string, folder: string, most: number): Promise<Source> {
  const dataSets: Uint8Array[] = [];
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  for (const path of paths.filter((_, index) => index % Math.ceil(paths.length / most) === 0)) {
    const bytes = readFileSync(join(folder, path), { flag: "r" });
    dataSets.push(await straightened(bytes).catch(() => new Uint8Array(0)));
  }
  return { name, dataSets: dataSets.filter(({ length }) => length > 0) };
}

async function straightened(bytes: Buffer): Promise<Uint8Array> {
  const { dataSet, dataSetOffset, transferSyntaxUid } = readFile(bytes);
  const pixels = pixelDataOf(dataSet);
  if (pixels === undefined || !("fragments" in pixels)) return bytes.subarray(dataSetOffset);
  const number = (tag: number) => dataSet.number(tag) ?? 0;
  const frame = await codecs.decodeFrame(Buffer.concat(pixels.fragments.map((range) => dataSet.range(range))), {
    transferSyntaxUid,
    rows: number(Tag.Rows),
    columns: number(Tag.Columns),
    samplesPerPixel: number(Tag.SamplesPerPixel),
    bitsAllocated: number(Tag.BitsAllocated),
    bitsStored: number(Tag.BitsStored),
    pixelRepresentation: number(Tag.PixelRepresentation),
    photometricInterpretation: dataSet.text(Tag.PhotometricInterpretation) ?? "",
  });
  const before = dataSet.elements.filter(({ tag }) => tag < Tag.PixelData).map((each) => inputOf(dataSet, each));
  const value = { tag: Tag.PixelData, vr: "OW", value: frame.pixels } as const;
  return writeDataSet([...before, value], { transferSyntaxUid: explicit });
}

async function sources(data: string): Promise<Source[]> {
  const made = [
    generated("CT, made up", ingestSlices({ count: 24, seed: 7 })),
    phantom("mr-brain", { slices: 24 }),
    phantom("dx-chest", { size: 2048 }),
    phantom("us-colour", { frames: 20 }),
  ];
  if (!existsSync(data)) return made;
  const at = (path: string) => join(data, "dicom", path);
  return [
    await real("CT head, 1 mm", at("series/ct-philips-head-phantom/s2020-1mm"), 24),
    await real("CT head, 5 mm", at("series/ct-philips-head-phantom/s2010-5mm"), 24),
    await real("MR brain T1", at("series/mr-t1-brain"), 24),
    await real("MR wrist", at("series/mr-ge-signa-wrist"), 16),
    await real("MG and DX", at("objects/mg-cr-dx"), 2),
    ...made,
  ];
}

/** Threads that can do one recipe and no other, and how long that took. */
function only(work: PackingWork, wanted: Recipe) {
  const took = { milliseconds: 0, bytes: 0 };
  const isWanted = ({ packing, level }: Recipe) => packing === wanted.packing && level === wanted.level;
  const pack = async (task: PackingTask) => {
    if (!isWanted(task.recipe)) return { parts: undefined, milliseconds: 1 };
    const done = await work.pack(task);
    took.milliseconds += done.milliseconds;
    took.bytes += task.bytes.length;
    return done;
  };
  return { took, work: { lanes: work.lanes, pack } };
}

/** Of the whole process: what a thread takes whatever else runs on the machine. */
function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Each recipe alone on each object. */
async function byRecipe(threads: PackingThreads, { name, dataSets }: Source): Promise<string[][]> {
  const rows: string[][] = [];
  for (const recipe of recipes) {
    const { took, work } = only(threads, recipe);
    const shrinker = createShrinker({ work, clock: systemClock });
    shrinker.pace(1); // whatever it takes
    let [plain, packed] = [0, 0];
    const before = process.cpuUsage();
    for (const bytes of dataSets) {
      plain += bytes.length;
      packed += sizeOf((await shrinker.pack(bytes, explicit)).parts);
    }
    const speed = took.bytes / megabyte / (took.milliseconds / 1000);
    const ofCpu = took.bytes / megabyte / cpuSeconds(before);
    const label = recipe.packing === "zstd" ? `zstd ${recipe.level}` : recipe.packing;
    rows.push([name, label, (plain / packed).toFixed(2), speed.toFixed(0), ofCpu.toFixed(0)]);
  }
  return rows;
}

/** What is chosen when the objects of a source come one behind the other to a line that is waited for. */
async function chosen(threads: PackingThreads, { name, dataSets }: Source, megabits: number): Promise<string[]> {
  const shrinker = createShrinker({ work: threads, clock: systemClock });
  shrinker.pace((megabits * 1e6 * wireShare) / 8);
  const counts = new Map<Packing, number>();
  let [plain, packed] = [0, 0];
  const feed = async (from: number) => {
    for (let at = from; at < 200; at += threads.lanes) {
      const bytes = dataSets[at % dataSets.length] as Uint8Array;
      const made = await shrinker.pack(bytes, explicit);
      plain += bytes.length;
      packed += sizeOf(made.parts);
      counts.set(made.packing, (counts.get(made.packing) ?? 0) + 1);
    }
  };
  const began = systemClock.monotonicMs();
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: threads.lanes }, (_, lane) => feed(lane)));
  const seconds = (systemClock.monotonicMs() - began) / 1000;
  const speed = plain / megabyte / seconds;
  const ofCpu = plain / megabyte / cpuSeconds(before);
  const arriving = Math.min(speed * 8, megabits * wireShare * (plain / packed));
  const counted = [...counts].map(([packing, count]) => `${packing} ${count}`).join(", ");
  const row = [name, String(megabits), counted, (plain / packed).toFixed(2), speed.toFixed(0), ofCpu.toFixed(0)];
  return [...row, arriving.toFixed(0)];
}

export async function packing(words: readonly string[]): Promise<void> {
  const options = { lines: { type: "string", default: "20,100,1000" }, data: { type: "string" } } as const;
  const { values } = parseArgs({ args: [...words], options });
  const data = values.data ?? process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../shared/data");
  print(`${machine()}\n`);
  const all = await sources(data);
  const one = createPackingThreads({ clock: systemClock, threadsMax: 1 });
  const alone: string[][] = [];
  for (const source of all) alone.push(...(await byRecipe(one, source)));
  await one.close();
  print(table(["objects", "packing", "ratio", "MB/s in one thread", "MB a CPU second"], alone));
  const threads = createPackingThreads({ clock: systemClock, threadsMax: cpus().length });
  const rows: string[][] = [];
  for (const source of all) {
    for (const megabits of values.lines.split(",").map(Number)) rows.push(await chosen(threads, source, megabits));
  }
  await threads.close();
  const headings = [
    "objects",
    "line Mbit/s",
    "chosen",
    "ratio",
    "MB/s packed",
    "MB a CPU second",
    "Mbit/s of data sets that arrive",
  ];
  print(`\n${table(headings, rows)}`);
}
