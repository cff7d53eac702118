import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "#base/problem";
import type { HomePaths } from "../home/index.ts";

/** In the home: the folder of its objects. In that folder, where it is another: whose objects they are. */
const nameInHome = "objects.place";
const nameInPlace = "leadglass.home";

/**
 * Refuses a start that would take an empty folder for the objects of this home: a disk that is not mounted, a setting that was forgotten,
 * packs that were not moved along. Nothing would be lost by it at once, but a rebuild would then forget every study. `homeId` stands for the
 * home in a file beside its packs, so that no other home takes them for its own.
 */
export async function checkObjectsPlace(paths: HomePaths, homeId: string): Promise<void> {
  const { folder: home, objects } = paths;
  const noted = (await textIn(home, nameInHome)) ?? home;
  const owner = await textIn(objects, nameInPlace);
  if (owner !== undefined && owner !== homeId) {
    throw new Problem("conflict", "the folder of objects belongs to another home", {
      remedy: "name another with --objects, LEADGLASS_OBJECTS or leadglass.json",
    });
  }
  if (noted === objects) {
    if (objects !== home && owner === undefined) throw notThere(noted);
    return;
  }
  if (await holdsPacks(noted)) {
    throw new Problem("conflict", "the objects of this home are in another folder than is set", {
      remedy: `set --objects (LEADGLASS_OBJECTS) to ${noted}, or move its packs and identity/packs to ${objects}`,
    });
  }
  if (noted !== home && owner === undefined && (await textIn(noted, nameInPlace)) === undefined) throw notThere(noted);
  if (objects !== home) {
    await mkdir(objects, { recursive: true, mode: 0o700 });
    await place(objects, nameInPlace, homeId);
  }
  await place(home, nameInHome, objects);
}

function notThere(folder: string): Problem {
  return new Problem("unavailable", "the folder of objects is not there", {
    remedy: `is the disk of ${folder} mounted?`,
  });
}

async function holdsPacks(folder: string): Promise<boolean> {
  for (const name of ["packs", join("identity", "packs")]) {
    const names = await readdir(join(folder, name)).catch(unlessAbsent);
    if (names !== undefined && names.length > 0) return true;
  }
  return false;
}

async function textIn(folder: string, name: string): Promise<string | undefined> {
  return (await readFile(join(folder, name), "utf8").catch(unlessAbsent))?.trim();
}

async function place(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  await writeFile(`${path}.next`, `${text}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.next`, path);
}

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}
