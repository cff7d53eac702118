import type { Files } from "#base/io";
import { asProblem, Problem } from "#base/problem";
import type { RootKeySettings } from "./root-key.ts";

/** keyring.json. Everything in it may be read by who has the file; what is secret is wrapped. */
export interface KeyringFile {
  readonly format: string;
  readonly root: RootKeySettings;
  /** Public key of the recovery kit and the proof that we put it there, base 64; absent before one is made. */
  readonly recovery?: { readonly publicKey: string; readonly proof: string };
  readonly tenants: Readonly<Record<string, TenantEntry>>;
}

export interface TenantEntry {
  /** Hexadecimal. */
  readonly id: string;
  /** Generation that new keys are wrapped under; the newest when it is not said. */
  readonly primary?: number;
  /** Keys may still be wrapped under the lasting master: in a home that had no other once, until its first rotation ends. */
  readonly lastingWraps?: boolean;
  readonly masters: readonly MasterEntry[];
}

/** A master key, base 64: under the root key, and for the recovery kit when there is one. */
export interface MasterEntry {
  readonly generation: number;
  readonly wrapped: string;
  readonly forRecovery?: string;
}

export const keyringFormat = "leadglass keyring 1";

const fileName = "keyring.json";
const fileBytesMax = 4 * 1024 * 1024;

export async function hasKeyring(files: Files, folder: string): Promise<boolean> {
  try {
    return await files.exists(`${folder}/${fileName}`);
  } catch (error) {
    throw asProblem(error, "looking for the keyring");
  }
}

/** The file appears whole in place of the one that stood, or not at all; durable when it resolves. */
export async function writeKeyring(files: Files, folder: string, content: KeyringFile): Promise<void> {
  try {
    await files.makeFolder(folder);
    const temporary = `${folder}/${fileName}.new`;
    await files.remove(temporary);
    const file = await files.open(temporary, "create");
    try {
      await file.write([Buffer.from(`${JSON.stringify(content, null, 2)}\n`)], 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, `${folder}/${fileName}`);
    await files.syncFolder(folder);
  } catch (error) {
    throw asProblem(error, "writing the keyring");
  }
}

/** Problem "absent" without one, "damaged" when it cannot be read. */
export async function readKeyring(files: Files, folder: string): Promise<KeyringFile> {
  if (!(await hasKeyring(files, folder))) {
    throw new Problem("absent", "this home has no keyring", { remedy: "make it with `leadglass init`" });
  }
  try {
    return parseKeyring((await readWhole(files, `${folder}/${fileName}`)).toString("utf8"));
  } catch (error) {
    throw asProblem(error, "reading the keyring");
  }
}

async function readWhole(files: Files, path: string): Promise<Buffer> {
  const file = await files.open(path, "read");
  try {
    const size = await file.size();
    if (size > fileBytesMax) throw brokenKeyring();
    const bytes = Buffer.alloc(size);
    for (let have = 0; have < size; ) {
      const count = await file.read(bytes.subarray(have), have);
      if (count === 0) throw brokenKeyring();
      have += count;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

export function brokenKeyring(): Problem {
  return new Problem("damaged", "the keyring file cannot be read", { remedy: "restore keyring.json from a backup" });
}

function parseKeyring(text: string): KeyringFile {
  let content: Partial<KeyringFile> | null;
  try {
    content = JSON.parse(text) as Partial<KeyringFile> | null;
  } catch {
    throw brokenKeyring();
  }
  const isWhole =
    content?.format === keyringFormat &&
    typeof content.root?.kind === "string" &&
    isRecovery(content.recovery) &&
    isObject(content.tenants) &&
    Object.values(content.tenants).every(isTenant);
  if (!isWhole) throw brokenKeyring();
  return content as KeyringFile;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isRecovery(recovery: Partial<KeyringFile["recovery"]> | null): boolean {
  if (recovery === undefined) return true;
  return isObject(recovery) && typeof recovery.publicKey === "string" && typeof recovery.proof === "string";
}

function isTenant(tenant: Partial<TenantEntry> | null): boolean {
  if (!isObject(tenant) || typeof tenant.id !== "string" || !Array.isArray(tenant.masters)) return false;
  const generations = tenant.masters.map((master: Partial<MasterEntry> | null) => master?.generation);
  const isWhole = tenant.masters.every(
    (master: Partial<MasterEntry> | null) =>
      Number.isInteger(master?.generation) &&
      typeof master?.wrapped === "string" &&
      (master.forRecovery === undefined || typeof master.forRecovery === "string"),
  );
  const primary = tenant.primary === undefined || generations.includes(tenant.primary);
  if (!["undefined", "boolean"].includes(typeof tenant.lastingWraps)) return false;
  return isWhole && primary && new Set(generations).size === generations.length && generations.includes(1);
}
