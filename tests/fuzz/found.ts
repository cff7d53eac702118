import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { dataFolder } from "../house/index.ts";
import type { Finding } from "./target.ts";
import type { TargetName } from "./targets.ts";

const nameOf = (input: Uint8Array) => createHash("sha256").update(input).digest("hex").slice(0, 16);

/** Writes the input, and beside it what it did and how it was found. Gives the path of the input. */
export function writeFinding(folder: string, { input, ...about }: Finding): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${about.target}-${about.kind}-${nameOf(input)}`);
  writeFileSync(`${path}.json`, `${JSON.stringify(about, undefined, 2)}\n`);
  writeFileSync(`${path}.bin`, input);
  return `${path}.bin`;
}

/** The target of a file that `writeFinding` wrote. */
export const targetOfFinding = (path: string): string => basename(path).split("-")[0] ?? "";

/** Inputs that told something in runs before. */
export function openCorpus(folder: string, target: TargetName) {
  const own = join(folder, "corpus", target);
  mkdirSync(own, { recursive: true });
  return {
    all: (): Uint8Array[] => readdirSync(own).map((name) => readFileSync(join(own, name))),
    keep: (input: Uint8Array) => writeFileSync(join(own, nameOf(input)), input),
  };
}

const realBytesMax = 24 * 1024;
/** Targets that read whole files. */
const ofFiles: readonly TargetName[] = ["part10", "pieces", "halves"];

/** Real files, odd and broken ones too, where the public sample data is there. */
export function realSeeds(target: TargetName): Uint8Array[] {
  if (!ofFiles.includes(target)) return [];
  const folder = join(dataFolder, "dicom");
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.(md|json)$/.test(entry.name))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
      .filter((bytes) => bytes.length > 0 && bytes.length <= realBytesMax);
  } catch {
    return [];
  }
}
