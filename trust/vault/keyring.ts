import { timingSafeEqual } from "node:crypto";
import type { Random } from "#base/id";
import type { Files } from "#base/io";
import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import {
  brokenKeyring,
  hasKeyring,
  type KeyringFile,
  keyringFormat,
  type MasterEntry,
  readKeyring,
  type TenantEntry,
  writeKeyring,
} from "./keyring-file.ts";
import { type Argon2Cost, passphraseRoot } from "./passphrase.ts";
import { aead, hkdf, hmac, joined, newKey } from "./primitives.ts";
import { nameOfKit, publicHalf, unwrapWithKit, wrapForKit } from "./recovery-root.ts";
import { combineShares, splitSecret } from "./recovery-shares.ts";
import type { RootKey, RootKeySource } from "./root-key.ts";

/** The keys of one tenant, each derived from a random master key for one purpose. */
export interface TenantKeys {
  readonly name: string;
  /** 16 random bytes that stand for the tenant wherever something is bound to it. */
  readonly id: Buffer;
  /** Of the master key that keys are wrapped under now. A rotation changes it while everything goes on. */
  readonly generation: number;
  /** Generations that no new key is wrapped under, and that a rotation has not dropped yet. */
  readonly olderGenerations: readonly number[];
  /**
   * HKDF for a purpose ("identity key", "image key", "index key", …) from the master key of a generation; without one, from the
   * lasting master, which every rotation leaves as it is. The caller wipes it.
   */
  key(purpose: string, bytes: number, generation?: number): Buffer;
}

/** The opened keyring of a home. Its changes are durable when they resolve; after one that fails it is as it was. */
export interface Keyring {
  /** Problem "absent" when it holds no such tenant. */
  tenant(name: string): TenantKeys;
  readonly tenants: readonly string[];
  /** The kind of root key that it stands under. */
  rootKind(): string;
  hasRecoveryKit(): boolean;
  /** Makes a new master key of a tenant, under which keys are wrapped from now on. */
  beginGeneration(tenant: string): Promise<void>;
  /** Drops the older master keys of a tenant: what is still wrapped under them is lost. */
  dropOlderGenerations(tenant: string): Promise<void>;
  /** Wraps every master key under another root key. The one before opens the keyring no more. */
  changeRoot(to: RootKeySource): Promise<void>;
  /** Three printable shares, of which any two open the keyring (`recoverKeyring`). The shares of an earlier kit open it no more. */
  makeRecoveryKit(): Promise<readonly string[]>;
  /** Does work while nothing changes the keyring: changes wait for it. */
  steadily<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Overwrites every key in memory. */
  wipe(): void;
}

/**
 * What must stay the same (digests of the index, the seed that signs the log) hangs on the first master, which is never dropped. In a
 * new keyring nothing is wrapped under it; where it was the only one once, a rotation takes the keys away from it.
 */
const lasting = 1;
const generationMax = 255;

type KeyringPlace = {
  readonly files: Files;
  /** The folder that holds keyring.json; made when it is not there. */
  readonly folder: string;
  readonly random: Random;
} & ({ readonly root: RootKeySource } | { readonly passphrase: string; readonly cost?: Argon2Cost });

interface OpenTenant {
  readonly id: Buffer;
  readonly masters: Map<number, Buffer>;
  primary: number;
  lastingWraps: boolean;
}

type Opened = ReadonlyMap<string, OpenTenant>;

const rootOf = (place: KeyringPlace): RootKeySource => ("root" in place ? place.root : passphraseRoot(place));

/** Makes the keyring of a new home. Problem "conflict" when there is one: it is never overwritten. Durable when it resolves. */
export async function createKeyring(place: KeyringPlace & { readonly tenants?: readonly string[] }): Promise<Keyring> {
  const { files, folder, random, tenants = ["main"] } = place;
  if (await hasKeyring(files, folder)) {
    throw new Problem("conflict", "this home has a keyring already", { remedy: "start it, or choose another home" });
  }
  const newTenant = (): OpenTenant => ({
    id: Buffer.from(random(Buffer.alloc(16))),
    masters: new Map([lasting, lasting + 1].map((generation) => [generation, newKey(random)])),
    primary: lasting + 1,
    lastingWraps: false,
  });
  const opened = new Map(tenants.map((name) => [name, newTenant()]));
  const content = await contentUnder(rootOf(place), opened, undefined, random);
  await writeKeyring(files, folder, content);
  return createOpened(place, rootOf(place), content, opened);
}

/** Problem "absent" without a keyring, "denied" when the root key is not its own, "damaged" when it cannot be read. */
export async function openKeyring(place: KeyringPlace): Promise<Keyring> {
  const { files, folder } = place;
  const content = await readKeyring(files, folder);
  const opened = await unwrapUnder(rootOf(place), content);
  checkKit(content, opened);
  return createOpened(place, rootOf(place), content, opened);
}

/**
 * Opens the keyring with two shares of its recovery kit and puts it under a new root key. Problem "absent" when no kit was made; for shares
 * that do not fit, as `combineShares`.
 */
export async function recoverKeyring(place: KeyringPlace & { readonly shares: readonly string[] }): Promise<Keyring> {
  const { files, folder, random, shares } = place;
  const content = await readKeyring(files, folder);
  const publicKey = publicKeyOf(content);
  if (publicKey === undefined) throw new Problem("absent", "no recovery kit was made for this home");
  const secret = await combineShares(shares, nameOfKit(publicKey));
  try {
    if (!publicHalf(secret).equals(publicKey)) throw new Problem("denied", "these shares do not open this keyring");
    const opened = await unwrapEach(content, async ({ forRecovery = "" }, context) =>
      unwrapWithKit(secret, Buffer.from(forRecovery, "base64"), context),
    );
    checkKit(content, opened);
    const renewed = await contentUnder(rootOf(place), opened, publicKey, random);
    await writeKeyring(files, folder, renewed);
    return createOpened(place, rootOf(place), renewed, opened);
  } finally {
    secret.fill(0);
  }
}

function masterContext(tenantId: Buffer, generation: number): string {
  return `tenant ${tenantId.toString("hex")} master key ${generation}`;
}

async function unwrapUnder(source: RootKeySource, content: KeyringFile): Promise<Opened> {
  const root = await source(content.root);
  try {
    return await unwrapEach(content, ({ wrapped }, context) => root.unwrap(Buffer.from(wrapped, "base64"), context));
  } finally {
    await root.close();
  }
}

async function unwrapEach(
  content: KeyringFile,
  unwrap: (entry: MasterEntry, context: string) => Promise<Buffer | undefined>,
): Promise<Opened> {
  const opened = new Map<string, OpenTenant>();
  for (const [name, tenant] of Object.entries(content.tenants)) {
    const id = Buffer.from(tenant.id, "hex");
    const masters = new Map<number, Buffer>();
    const generations = tenant.masters.map(({ generation }) => generation);
    const primary = tenant.primary ?? Math.max(...generations);
    opened.set(name, { id, masters, primary, lastingWraps: tenant.lastingWraps === true });
    for (const entry of tenant.masters) {
      const master = await unwrap(entry, masterContext(id, entry.generation));
      if (master?.length !== aead.keyBytes) {
        wipe(opened);
        throw new Problem("denied", "the root key does not open this home's keyring", {
          remedy:
            "check the passphrase file or LEADGLASS_ROOT_KEY; `leadglass vault recover` opens it with the recovery kit",
        });
      }
      masters.set(entry.generation, master);
    }
  }
  return opened;
}

/** The file's content with every master under a root key, proven to open again before it is given out. */
async function contentUnder(
  source: RootKeySource,
  opened: Opened,
  kit: Buffer | undefined,
  random: Random,
): Promise<KeyringFile> {
  const root = await source();
  try {
    const tenants: Record<string, TenantEntry> = {};
    for (const [name, { id, masters, primary, lastingWraps }] of opened) {
      const entries: MasterEntry[] = [];
      for (const [generation, master] of masters) {
        entries.push(await masterEntry({ root, kit, random }, master, masterContext(id, generation), generation));
      }
      tenants[name] = { id: id.toString("hex"), primary, ...(lastingWraps && { lastingWraps }), masters: entries };
    }
    return withKit({ format: keyringFormat, root: root.settings, tenants }, opened, kit);
  } finally {
    await root.close();
  }
}

async function masterEntry(
  under: { readonly root: RootKey; readonly kit: Buffer | undefined; readonly random: Random },
  master: Buffer,
  context: string,
  generation: number,
): Promise<MasterEntry> {
  const { root, kit, random } = under;
  const wrapped = await root.wrap(master, context);
  const again = await root.unwrap(wrapped, context);
  const isSame = again?.equals(master) === true;
  again?.fill(0);
  if (!isSame) throw new Problem("fault", "the root key does not give back what it wrapped; nothing was changed");
  const forRecovery = kit && wrapForKit(kit, random, master, context).toString("base64");
  return { generation, wrapped: wrapped.toString("base64"), ...(forRecovery && { forRecovery }) };
}

/*
 * The kit's public key is proven by the first tenant's lasting master: otherwise who can write the file, and not open it, puts a key of
 * his own there and has the next master wrapped for himself.
 */
function proofOf(publicKey: Buffer, opened: Opened): Buffer {
  const [first] = [...opened.keys()].sort();
  const tenant = opened.get(first ?? "");
  const master = tenant?.masters.get(lasting);
  if (tenant === undefined || master === undefined) throw brokenKeyring();
  const key = hkdf(master, tenant.id, joined("leadglass tenant key", "recovery kit"), aead.keyBytes);
  const proof = hmac(key, publicKey);
  key.fill(0);
  return proof;
}

function withKit(content: KeyringFile, opened: Opened, kit: Buffer | undefined): KeyringFile {
  if (kit === undefined) return content;
  const recovery = { publicKey: kit.toString("base64"), proof: proofOf(kit, opened).toString("base64") };
  return { ...content, recovery };
}

function publicKeyOf({ recovery }: KeyringFile): Buffer | undefined {
  return recovery && Buffer.from(recovery.publicKey, "base64");
}

function checkKit(content: KeyringFile, opened: Opened): void {
  const publicKey = publicKeyOf(content);
  if (publicKey === undefined) return;
  const proof = Buffer.from(content.recovery?.proof ?? "", "base64");
  const right = proofOf(publicKey, opened);
  if (proof.length === right.length && timingSafeEqual(proof, right)) return;
  wipe(opened);
  throw new Problem("damaged", "the recovery key in the keyring was not put there by Leadglass", {
    remedy: "restore keyring.json from a backup, and find out who changed it",
  });
}

function wipe(opened: Opened): void {
  for (const { masters } of opened.values()) for (const master of masters.values()) master.fill(0);
}

function tenantKeys(name: string, tenant: OpenTenant): TenantKeys {
  return {
    name,
    id: tenant.id,
    get generation() {
      return tenant.primary;
    },
    get olderGenerations() {
      const mayWrap = (each: number) => each !== lasting || tenant.lastingWraps;
      return [...tenant.masters.keys()].filter((each) => each !== tenant.primary && mayWrap(each));
    },
    key(purpose, bytes, generation = lasting) {
      const master = tenant.masters.get(generation);
      if (master === undefined) throw new Problem("damaged", "a key of a generation that the keyring does not hold");
      return hkdf(master, tenant.id, joined("leadglass tenant key", purpose), bytes);
    },
  };
}

function createOpened(place: KeyringPlace, from: RootKeySource, read: KeyringFile, opened: Opened): Keyring {
  const { files, folder, random } = place;
  let source = from;
  let content = read;
  let isWiped = false;
  const turns = createTurns();
  const change = <Result>(work: () => Promise<Result>): Promise<Result> =>
    turns.take(() => {
      // Zeros would be wrapped in place of keys.
      if (isWiped) throw new Problem("unavailable", "the keyring is closed");
      return work();
    });
  const write = async (next: KeyringFile) => {
    await writeKeyring(files, folder, next);
    content = next;
  };
  const found = (name: string): { readonly tenant: OpenTenant; readonly entry: TenantEntry } => {
    const tenant = opened.get(name);
    const entry = content.tenants[name];
    if (tenant === undefined || entry === undefined) throw new Problem("absent", "the keyring holds no such tenant");
    return { tenant, entry };
  };
  const withTenant = (name: string, entry: TenantEntry): KeyringFile => ({
    ...content,
    tenants: { ...content.tenants, [name]: entry },
  });

  const withGeneration = async (name: string, entry: TenantEntry, master: Buffer, generation: number) => {
    // Proves the root key first: a master under a wrong one would lock the home for good.
    wipe(await unwrapUnder(source, content));
    const root = await source(content.root);
    try {
      const context = masterContext(Buffer.from(entry.id, "hex"), generation);
      const made = await masterEntry({ root, kit: publicKeyOf(content), random }, master, context, generation);
      const lastingWraps = entry.lastingWraps === true || (entry.primary ?? lasting) === lasting;
      const masters = [...entry.masters, made];
      return withTenant(name, { ...entry, primary: generation, ...(lastingWraps && { lastingWraps }), masters });
    } finally {
      await root.close();
    }
  };

  return {
    tenants: [...opened.keys()],
    tenant: (name) => tenantKeys(name, found(name).tenant),
    rootKind: () => content.root.kind,
    hasRecoveryKit: () => content.recovery !== undefined,
    beginGeneration: (name) =>
      change(async () => {
        const { tenant, entry } = found(name);
        const generation = nextGeneration(tenant);
        const master = newKey(random);
        try {
          await write(await withGeneration(name, entry, master, generation));
        } catch (error) {
          master.fill(0);
          throw error;
        }
        tenant.masters.set(generation, master);
        tenant.lastingWraps ||= tenant.primary === lasting;
        tenant.primary = generation;
      }),
    dropOlderGenerations: (name) =>
      change(async () => {
        const { tenant, entry } = found(name);
        const stays = (generation: number) => generation === lasting || generation === tenant.primary;
        const masters = entry.masters.filter(({ generation }) => stays(generation));
        const { lastingWraps: _, ...rest } = entry;
        await write(withTenant(name, { ...rest, masters }));
        tenant.lastingWraps = false;
        for (const [generation, master] of tenant.masters) {
          if (stays(generation)) continue;
          master.fill(0);
          tenant.masters.delete(generation);
        }
      }),
    changeRoot: (to) =>
      change(async () => {
        await write(await contentUnder(to, opened, publicKeyOf(content), random));
        source = to;
      }),
    makeRecoveryKit: () =>
      change(async () => {
        const secret = newKey(random);
        try {
          const kit = publicHalf(secret);
          const shares = await splitSecret(secret, nameOfKit(kit));
          await write(withKit(forKit(content, opened, kit, random), opened, kit));
          return shares;
        } finally {
          secret.fill(0);
        }
      }),
    steadily: change,
    wipe() {
      isWiped = true;
      wipe(opened);
    },
  };
}

/** The same content, each master wrapped for a kit besides. */
function forKit(content: KeyringFile, opened: Opened, kit: Buffer, random: Random): KeyringFile {
  const entryOf = (tenant: OpenTenant, entry: MasterEntry): MasterEntry => {
    const master = tenant.masters.get(entry.generation);
    if (master === undefined) throw brokenKeyring();
    const context = masterContext(tenant.id, entry.generation);
    return { ...entry, forRecovery: wrapForKit(kit, random, master, context).toString("base64") };
  };
  const tenants = Object.entries(content.tenants).map(([name, entry]) => {
    const tenant = opened.get(name);
    if (tenant === undefined) throw brokenKeyring();
    return [name, { ...entry, masters: entry.masters.map((each) => entryOf(tenant, each)) }] as const;
  });
  return { ...content, tenants: Object.fromEntries(tenants) };
}

/** One byte stands for it in wrapped keys: after the last it begins again, where an older one has been dropped long since. */
function nextGeneration({ primary, masters }: OpenTenant): number {
  for (let step = 1; step < generationMax; step++) {
    const generation = ((primary - lasting + step - 1) % (generationMax - lasting)) + lasting + 1;
    if (!masters.has(generation)) return generation;
  }
  throw new Problem("conflict", "too many master keys are in use", { remedy: "let a rotation come to its end" });
}
