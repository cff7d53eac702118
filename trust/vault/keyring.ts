import type { Random } from "#base/id";
import type { Files } from "#base/io";
import { asProblem, Problem } from "#base/problem";
import { aead, hkdf, joined } from "./primitives.ts";
import { type Argon2Cost, checkPassphrase, passphraseRootKey, type RootKey, type RootKeySettings } from "./root-key.ts";

/** The keys of one tenant, each derived from its random master key for one purpose. */
export interface TenantKeys {
  readonly name: string;
  /** 16 random bytes that stand for the tenant wherever something is bound to it. */
  readonly id: Buffer;
  /** Of the master key that new things are sealed under. */
  readonly generation: number;
  /** HKDF for a purpose ("identity key", "image key", "index key", "audit signing key", "secrets key", …). The caller wipes it. */
  key(purpose: string, bytes: number, generation?: number): Buffer;
}

/** The opened keyring of a home. */
export interface Keyring {
  /** Problem "absent" when it holds no such tenant. */
  tenant(name: string): TenantKeys;
  readonly tenants: readonly string[];
  /** Overwrites every key in memory. */
  wipe(): void;
}

const fileName = "keyring.json";
const format = "leadglass keyring 1";

interface KeyringFile {
  readonly format: string;
  readonly root: RootKeySettings;
  readonly tenants: Readonly<
    Record<string, { readonly id: string; readonly masters: readonly { generation: number; wrapped: string }[] }>
  >;
}

interface OpenTenant {
  readonly id: Buffer;
  readonly masters: ReadonlyMap<number, Buffer>;
}

interface KeyringPlace {
  readonly files: Files;
  /** The folder that holds keyring.json; made when it is not there. */
  readonly folder: string;
  readonly passphrase: string;
  readonly random: Random;
}

/** Makes the keyring of a new home. Problem "conflict" when there is one: it is never overwritten. Durable when it resolves. */
export async function createKeyring(
  options: KeyringPlace & { readonly tenants?: readonly string[]; readonly cost?: Argon2Cost },
): Promise<Keyring> {
  const { files, folder, passphrase, random, tenants = ["main"], cost } = options;
  checkPassphrase(passphrase);
  if (await files.exists(`${folder}/${fileName}`)) {
    throw new Problem("conflict", "this home has a keyring already", { remedy: "start it, or choose another home" });
  }
  const root = await passphraseRootKey({ passphrase, random, ...(cost && { cost }) });
  const opened = new Map<string, OpenTenant>();
  const written: Record<string, KeyringFile["tenants"][string]> = {};
  for (const name of tenants) {
    const id = Buffer.from(random(Buffer.alloc(16)));
    const master = Buffer.from(random(Buffer.alloc(aead.keyBytes)));
    const wrapped = await root.wrap(master, masterContext(id, 1));
    written[name] = { id: id.toString("hex"), masters: [{ generation: 1, wrapped: wrapped.toString("base64") }] };
    opened.set(name, { id, masters: new Map([[1, master]]) });
  }
  const content: KeyringFile = { format, root: root.settings, tenants: written };
  root.wipe();
  try {
    await files.makeFolder(folder);
    await writeWhole(files, folder, Buffer.from(`${JSON.stringify(content, null, 2)}\n`));
  } catch (error) {
    throw asProblem(error, "writing the keyring");
  }
  return openedKeyring(opened);
}

/** Problem "absent" without a keyring, "denied" when the passphrase is not its own, "damaged" when it cannot be read. */
export async function openKeyring(options: KeyringPlace): Promise<Keyring> {
  const { files, folder, passphrase, random } = options;
  const content = await readKeyring(files, folder);
  const root = await passphraseRootKey({ passphrase, random, settings: content.root });
  const opened = new Map<string, OpenTenant>();
  for (const [name, tenant] of Object.entries(content.tenants)) {
    const id = Buffer.from(tenant.id, "hex");
    const masters = new Map<number, Buffer>();
    for (const { generation, wrapped } of tenant.masters) {
      masters.set(generation, await unwrapMaster(root, id, generation, wrapped));
    }
    opened.set(name, { id, masters });
  }
  root.wipe();
  return openedKeyring(opened);
}

function masterContext(tenantId: Buffer, generation: number): string {
  return `tenant ${tenantId.toString("hex")} master key ${generation}`;
}

async function unwrapMaster(root: RootKey, id: Buffer, generation: number, wrapped: string): Promise<Buffer> {
  const master = await root.unwrap(Buffer.from(wrapped, "base64"), masterContext(id, generation));
  if (master !== undefined) return master;
  throw new Problem("denied", "the passphrase does not open this home's keyring", {
    remedy: "check the passphrase file, or use the one from the recovery kit",
  });
}

function openedKeyring(opened: ReadonlyMap<string, OpenTenant>): Keyring {
  return {
    tenants: [...opened.keys()],
    tenant(name) {
      const tenant = opened.get(name);
      if (tenant === undefined) throw new Problem("absent", "the keyring holds no such tenant");
      const newest = Math.max(...tenant.masters.keys());
      return {
        name,
        id: tenant.id,
        generation: newest,
        key(purpose, bytes, generation = newest) {
          const master = tenant.masters.get(generation);
          if (master === undefined)
            throw new Problem("damaged", "a key of a generation that the keyring does not hold");
          return hkdf(master, tenant.id, joined("leadglass tenant key", purpose), bytes);
        },
      };
    },
    wipe() {
      for (const { masters } of opened.values()) for (const master of masters.values()) master.fill(0);
    },
  };
}

/** A new name that appears whole or not at all. */
async function writeWhole(files: Files, folder: string, bytes: Buffer): Promise<void> {
  const temporary = `${folder}/${fileName}.new`;
  await files.remove(temporary);
  const file = await files.open(temporary, "create");
  try {
    await file.write([bytes], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, `${folder}/${fileName}`);
  await files.syncFolder(folder);
}

const fileBytesMax = 4 * 1024 * 1024;

async function readKeyring(files: Files, folder: string): Promise<KeyringFile> {
  const path = `${folder}/${fileName}`;
  if (!(await files.exists(path))) {
    throw new Problem("absent", "this home has no keyring", { remedy: "make it with `leadglass init`" });
  }
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
    return parseKeyring(bytes.toString("utf8"));
  } finally {
    await file.close();
  }
}

function brokenKeyring(): Problem {
  return new Problem("damaged", "the keyring file cannot be read", { remedy: "restore keyring.json from a backup" });
}

function parseKeyring(text: string): KeyringFile {
  let content: Partial<KeyringFile> | null;
  try {
    content = JSON.parse(text) as Partial<KeyringFile> | null;
  } catch {
    throw brokenKeyring();
  }
  const root = content?.root as Partial<RootKeySettings> | undefined;
  const cost = root?.argon2id;
  const isWhole =
    content?.format === format &&
    root?.kind === "passphrase" &&
    typeof root.salt === "string" &&
    [cost?.memoryKiB, cost?.passes, cost?.lanes].every((value) => Number.isSafeInteger(value)) &&
    typeof content.tenants === "object" &&
    Object.values(content.tenants).every((tenant) => typeof tenant.id === "string" && Array.isArray(tenant.masters));
  if (!isWhole) throw brokenKeyring();
  return content as KeyringFile;
}
