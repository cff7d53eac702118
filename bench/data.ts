import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ingestSlices, phantomFiles } from "#imaging/phantoms";

const cache = process.env.LEADGLASS_BENCH_CACHE ?? join(tmpdir(), "leadglass-bench");

/** Paths of `count` slices of one made-up CT study, 526 KB each; made once, kept between runs, read into the page cache. */
export const ctSlices = (count: number): string[] => slices(`ct-${count}`, () => ingestSlices({ count, seed: 7 }));

/** The same of an MR series, 132 KB each. */
export const mrSlices = (count: number): string[] =>
  slices(`mr-${count}`, () => phantomFiles({ kind: "mr-brain", seed: 7, slices: count, size: 256 }));

function slices(name: string, make: () => Iterable<Uint8Array>): string[] {
  const folder = join(cache, name);
  if (!existsSync(folder)) {
    const unfinished = `${folder}.part`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    let number = 0;
    for (const file of make()) writeFileSync(join(unfinished, `${String(++number).padStart(5, "0")}.dcm`), file);
    renameSync(unfinished, folder);
  }
  const paths = readdirSync(folder)
    .sort()
    .map((file) => join(folder, file));
  for (const path of paths) readFileSync(path);
  return paths;
}

/** A folder that is kept between runs; made when it is not there. */
export function kept(name: string): string {
  const folder = join(cache, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** A fresh folder for one server's store. */
export function scratch(name: string): string {
  const folder = join(cache, "scratch", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
