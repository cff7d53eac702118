import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRandom } from "#base/id";
import type { Keyring, Vault } from "#trust/vault";
import type { Configuration } from "./configuration.ts";
import type { House } from "./house.ts";
import { newestInstanceAt } from "./newest-instance.ts";
import { type Restored, restoreHome } from "./restore.ts";

export interface Drilling {
  readonly folder: string;
  readonly point?: number;
  /** Where the temporary home is made; the system's folder for temporary files when absent. */
  readonly within?: string;
  /** So many objects are opened, by chance; all when absent. */
  readonly sample?: number;
  readonly openKeyring: (folder: string) => Promise<Keyring>;
  /** For a home in this folder. Its databases are not used: a drill touches nothing but its own home. */
  readonly configuration: (home: string) => Configuration;
  readonly tell: (progress: string) => void;
}

export interface DrillReport extends Restored {
  /** Sealed objects that came back, and how many of them were opened and proven. */
  readonly found: number;
  readonly opened: number;
  readonly damaged: number;
  /** When the newest instance in the point was acknowledged. */
  readonly newestInstanceAt: number | null;
  /** Nothing is lost, damaged or missing. */
  readonly isWhole: boolean;
}

/** Restores a backup into a home of its own, opens what is in it, and removes that home. */
export async function drillBackup(drilling: Drilling): Promise<DrillReport> {
  const { folder, point, openKeyring, tell } = drilling;
  const within = await mkdtemp(join(drilling.within ?? tmpdir(), "leadglass-drill-"));
  const home = join(within, "home");
  const configuration = () => ({ ...drilling.configuration(home), database: undefined, identityDatabase: undefined });
  try {
    return await restoreHome(
      { folder, home, ...(point !== undefined && { point }), acceptLoss: true, openKeyring, configuration, tell },
      (house, restored) => examine(house, restored, drilling),
    );
  } finally {
    await rm(within, { recursive: true, force: true });
  }
}

async function examine(house: House, restored: Restored, { sample, tell }: Drilling): Promise<DrillReport> {
  const { found, opened, damaged } = await (sample === undefined
    ? proveAll(house.vault, tell)
    : proveSome(house.vault, sample, tell));
  const newest = await newestInstanceAt(house.audit, restored.takenAt);
  // Who opens a sample does not count all: what a destroyed key sealed is passed over.
  const isMissing = restored.withoutImage > 0 || (sample === undefined && found < restored.objects);
  return {
    ...restored,
    found,
    opened,
    damaged,
    newestInstanceAt: newest ?? null,
    isWhole: restored.losses.length === 0 && damaged === 0 && !isMissing,
  };
}

type Proven = { readonly found: number; readonly opened: number; readonly damaged: number };

async function proveAll(vault: Vault, tell: Drilling["tell"]): Promise<Proven> {
  let found = 0;
  let damaged = 0;
  const proving = vault.check((done) => {
    found = done.objects;
    tell(`${done.objects} objects opened`);
  });
  for await (const _damage of proving) damaged++;
  return { found, opened: found, damaged };
}

/** A sample of fixed size from rows of unknown length: each object has the same chance (reservoir sampling). */
async function proveSome(vault: Vault, count: number, tell: Drilling["tell"]): Promise<Proven> {
  type Chosen = {
    readonly half: "image" | "identity";
    readonly place: { readonly pack: string; readonly offset: number };
  };
  const chosen: Chosen[] = [];
  let found = 0;
  const see = (one: Chosen) => {
    found++;
    if (chosen.length < count) {
      chosen.push(one);
      return;
    }
    const at = Buffer.from(systemRandom(new Uint8Array(6))).readUIntBE(0, 6) % found;
    if (at < count) chosen[at] = one;
  };
  for await (const { place } of vault.images()) see({ half: "image", place });
  for await (const { place } of vault.recover(new Map())) see({ half: "identity", place });
  let damaged = 0;
  for (const [at, { half, place }] of chosen.entries()) {
    if ((await vault.prove(half, place)) !== undefined) damaged++;
    tell(`${at + 1} of ${chosen.length} objects opened`);
  }
  return { found, opened: chosen.length, damaged };
}
