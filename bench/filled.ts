import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readFile, Tag } from "#formats/dicom";
import { ctSlices, kept } from "./data.ts";
import { loadNow } from "./processes.ts";
import { print } from "./report.ts";
import { type Client, createClient } from "./requests.ts";
import { tinyFile } from "./studies.ts";
import { leadglass, orthanc, type Target, type TargetKind } from "./targets.ts";

/** Servers whose indexes hold many studies, and among them one long CT. */
export interface Filled {
  readonly targets: readonly Target[];
  readonly ct: { readonly studyUid: string; readonly seriesUid: string; readonly sopUids: readonly string[] };
  /** Stops one server and starts it on the same store; the one that runs then. */
  restart(target: Target): Promise<Target>;
  stop(): Promise<void>;
}

export interface FillOptions {
  readonly studies: number;
  readonly slices: number;
  /** Fill again, whatever an earlier run has left. */
  readonly fresh: boolean;
  readonly only: string | undefined;
}

const marker = "filled.json";
const fillClients = 8;
/** Servers go on working behind what they have acknowledged: so long they are left alone. */
const restMs = 15_000;

/** Filling 50,000 takes minutes: what is filled is kept in the bench's folder for the next run. */
export async function filledTargets(options: FillOptions): Promise<Filled> {
  const kinds = [leadglass, orthanc].filter(({ name }) => options.only?.split(",").includes(name) ?? true);
  const available = kinds.filter((kind) => {
    if (!kind.available) print(`  left out: ${kind.name} is not installed`);
    return kind.available;
  });
  const files = ctSlices(options.slices);
  const running = new Map<TargetKind, Target>();
  const folderOf = (kind: TargetKind) =>
    join(kept("filled-by-people"), `${kind.name}-${options.studies}-${options.slices}`);
  const stop = async () => {
    for (const target of running.values()) await target.stop();
  };
  try {
    for (const kind of available) {
      const folder = folderOf(kind);
      if (options.fresh || !existsSync(join(folder, marker))) await fill(kind, folder, options.studies, files);
      running.set(kind, await kind.start(folder));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    get targets() {
      return [...running.values()];
    },
    ct: ctOf(files),
    async restart(target) {
      const kind = available.find(({ name }) => name === target.name) as TargetKind;
      await target.stop();
      const started = await kind.start(folderOf(kind));
      running.set(kind, started);
      return started;
    },
    stop,
  };
}

function ctOf(files: readonly string[]): Filled["ct"] {
  const headers = files.map((file) => readFile(readFileSync(file), { stopBefore: [Tag.PixelData] }).dataSet);
  const text = (at: number, tag: number) => headers[at]?.text(tag) ?? "";
  return {
    studyUid: text(0, Tag.StudyInstanceUID),
    seriesUid: text(0, Tag.SeriesInstanceUID),
    sopUids: headers.map((_, at) => text(at, Tag.SOPInstanceUID)),
  };
}

/** STOW-RS, eight requests at once, into an empty store. */
async function fill(kind: TargetKind, folder: string, studies: number, files: readonly string[]): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  kept(join("filled-by-people", folder.slice(folder.lastIndexOf("/") + 1)));
  const target = await kind.start(folder);
  const client = createClient(target, fillClients);
  try {
    const began = performance.now();
    await inBatches(client, studies, 10, tinyFile);
    const seconds = (performance.now() - began) / 1_000;
    print(`  ${kind.name}: ${studies} studies stored in ${seconds.toFixed(0)} s, load ${loadNow()}`);
    await inBatches(client, files.length, 5, (at) => readFileSync(files[at] ?? ""));
    await new Promise((resolve) => setTimeout(resolve, restMs));
  } finally {
    client.close();
    await target.stop();
  }
  writeFileSync(join(folder, marker), JSON.stringify({ studies, slices: files.length }));
}

async function inBatches(client: Client, count: number, each: number, fileOf: (at: number) => Buffer): Promise<void> {
  let next = 0;
  const storeNext = async () => {
    while (next < count) {
      const from = next;
      next = Math.min(count, from + each);
      const files = Array.from({ length: next - from }, (_, at) => fileOf(from + at));
      const { status, body } = await client.send("/studies", { ...multipartOf(files), keep: true });
      if (status !== 200) throw new Error(`storing was answered with ${status}: ${body.toString().slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: fillClients }, storeNext));
}

function multipartOf(files: readonly Buffer[]): { type: string; body: Buffer } {
  const boundary = "a-boundary-of-the-bench";
  const parts = files.flatMap((file) => [
    Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
    file,
    Buffer.from("\r\n"),
  ]);
  const type = `multipart/related; type="application/dicom"; boundary=${boundary}`;
  return { type, body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]) };
}
