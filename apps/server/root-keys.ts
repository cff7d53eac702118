import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles as files } from "#base/io";
import { isProblem, Problem } from "#base/problem";
import { type RecoverySharesView, type RootView, rootKinds } from "#formats/api";
import { awsRoot, pkcs11Root } from "#stores/keys";
import type { Perform } from "#trust/access";
import {
  createKeyring,
  createPassphrase,
  type Keyring,
  openKeyring,
  passphraseRoot,
  type RootKeySource,
  recoverKeyring,
} from "#trust/vault";
import type { Configuration } from "./configuration.ts";

type RootConfiguration = Pick<
  Configuration,
  "rootKey" | "nextRootKey" | "rootKeyEndpoint" | "awsCredentials" | "passphraseFile"
>;

/** The one tenant of this version. */
export const tenantName = "main";

const random = systemRandom;

/** Reads the root passphrase. Kept by the operator: in the home for a first try, elsewhere (a mount, a secret) for good. */
export async function readPassphrase(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    const remedy =
      "restore it, or name it with --passphrase-file or LEADGLASS_PASSPHRASE_FILE; `leadglass vault recover` makes a new one";
    throw new Problem("absent", "the root passphrase file cannot be read", { remedy, cause: error });
  }
}

async function writePassphrase(file: string, passphrase: string): Promise<void> {
  await files.makeFolder(dirname(file));
  await writeFile(file, `${passphrase}\n`, { mode: 0o600, flag: "wx", flush: true });
  await files.syncFolder(dirname(file));
}

const kindOf = (setting: string) => rootKinds.find((kind) => setting === kind || setting.startsWith(`${kind}:`));

/** The root key that a setting names: `passphrase`, a pkcs11 URI, or `awskms:` and an ARN. */
function rootNamed(setting: string, configuration: RootConfiguration): RootKeySource {
  const { passphraseFile, rootKeyEndpoint, awsCredentials } = configuration;
  const kind = kindOf(setting);
  if (kind === "pkcs11") {
    return pkcs11Root({ uri: setting, readPin: (file) => readPin(file), random, clock: systemClock });
  }
  if (kind === "awskms") {
    return awsRoot({
      keyArn: setting.slice("awskms:".length),
      ...(rootKeyEndpoint !== undefined && { endpoint: rootKeyEndpoint }),
      credentials: awsCredentials,
      random,
      clock: systemClock,
    });
  }
  if (setting === "passphrase") return passphraseRoot({ passphrase: () => readPassphrase(passphraseFile), random });
  throw new Problem("invalid", "refusing to start: the root key is of no kind that is known", {
    remedy: "LEADGLASS_ROOT_KEY is passphrase, pkcs11:… (a URI of RFC 7512) or awskms:ARN",
  });
}

async function readPin(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    const remedy = "check pin-source in LEADGLASS_ROOT_KEY, and who may read that file";
    throw new Problem("absent", "the file with the PIN of the PKCS#11 token cannot be read", { remedy, cause: error });
  }
}

/** Where a new passphrase lies until it has taken the old one's place: beside the keyring that it may open. */
const nextOf = (folder: string) => `${folder}/next.passphrase`;

/**
 * Has `change` put the keyring under a new passphrase, made for it, and writes that in the place of the old one. A crash leaves the old or the
 * new; `settlePassphrase` then sees to it that the passphrase file holds the one which opens the keyring.
 */
export async function withNewPassphrase(
  folder: string,
  passphraseFile: string,
  change: (root: RootKeySource) => Promise<unknown>,
): Promise<void> {
  await settlePassphrase(folder, passphraseFile);
  const passphrase = createPassphrase(random);
  await writePart(passphraseFile, passphrase);
  let file = nextOf(folder);
  try {
    await writePassphrase(file, passphrase);
    await change(passphraseRoot({ passphrase: () => readPassphrase(file), random }));
  } catch (error) {
    await settlePassphrase(folder, passphraseFile).catch(() => {});
    await files.remove(partOf(passphraseFile)).catch(() => {});
    throw error;
  }
  await takeNext(folder, passphraseFile);
  file = passphraseFile;
}

async function settlePassphrase(folder: string, passphraseFile: string): Promise<void> {
  const next = nextOf(folder);
  if (!(await files.exists(next))) return;
  try {
    const passphrase = await readPassphrase(next);
    (await openKeyring({ files, folder, random, root: passphraseRoot({ passphrase, random }) })).wipe();
  } catch (error) {
    if (!isProblem(error, "denied") && !isProblem(error, "conflict")) throw error;
    await files.remove(next);
    return;
  }
  await takeNext(folder, passphraseFile);
}

const partOf = (passphraseFile: string) => `${passphraseFile}.part`;

/** Also shows, before anything changes, that a passphrase can be written there at all: a secret of a service cannot. */
async function writePart(passphraseFile: string, passphrase: string): Promise<void> {
  try {
    await files.remove(partOf(passphraseFile));
    await writePassphrase(partOf(passphraseFile), passphrase);
  } catch (cause) {
    throw new Problem("conflict", "a new passphrase cannot be written where the passphrase file lies", {
      remedy: "copy the file to a folder that can be written, name it with LEADGLASS_PASSPHRASE_FILE, and try again",
      cause,
    });
  }
}

async function takeNext(folder: string, passphraseFile: string): Promise<void> {
  await writePart(passphraseFile, await readPassphrase(nextOf(folder)));
  await files.rename(partOf(passphraseFile), passphraseFile);
  await files.syncFolder(dirname(passphraseFile));
  await files.remove(nextOf(folder));
}

/** Opens the keyring of a home; makes root key and keyring when the home is new. */
export async function openOrMakeKeyring(folder: string, configuration: RootConfiguration): Promise<Keyring> {
  const { rootKey, nextRootKey, passphraseFile } = configuration;
  if ((await files.list(folder)).length === 0) {
    const root = rootNamed(rootKey, configuration);
    if (rootKey === "passphrase" && !(await files.exists(passphraseFile))) {
      await writePassphrase(passphraseFile, createPassphrase(random));
    }
    return createKeyring({ files, folder, random, root, tenants: [tenantName] });
  }
  await settlePassphrase(folder, passphraseFile);
  try {
    return await openKeyring({ files, folder, random, root: rootNamed(rootKey, configuration) });
  } catch (error) {
    // Around a change of the root both settings are there: the keyring knows its own.
    const mayBeNext = isProblem(error, "conflict") || isProblem(error, "denied");
    if (nextRootKey === undefined || !mayBeNext) throw error;
    return openKeyring({ files, folder, random, root: rootNamed(nextRootKey, configuration) });
  }
}

/** Opens a keyring that came back from a backup: with the root key of its home, or with shares of the recovery kit. */
export function keyringOpener(
  configuration: RootConfiguration,
  shares: readonly string[] | undefined,
): (folder: string) => Promise<Keyring> {
  const { rootKey, passphraseFile } = configuration;
  return async (folder) => {
    if (shares === undefined) {
      return openKeyring({ files, folder, random, root: rootNamed(rootKey, configuration) });
    }
    if (!(await files.exists(passphraseFile))) {
      await writePassphrase(passphraseFile, createPassphrase(random));
    }
    return recoverKeyring({ files, folder, random, shares, root: rootNamed("passphrase", configuration) });
  };
}

/** What two administrators decide about the root of an open home. */
export interface RootCare {
  /** `on.id` names the kind of the new root key; for a kind other than a passphrase, `nextRootKey` says where it is. */
  readonly changeRoot: Perform;
  /** Resolves with the shares: `{ shares: [three texts] }`. */
  readonly makeRecoveryKit: Perform;
}

export function createRootCare(keyring: Keyring, folder: string, configuration: RootConfiguration): RootCare {
  const { nextRootKey, passphraseFile } = configuration;
  const toNewPassphrase = async (): Promise<RootView> => {
    await withNewPassphrase(folder, passphraseFile, keyring.changeRoot);
    return {
      root: "passphrase",
      next: `the new passphrase is in ${passphraseFile}: keep a copy where only you can read it`,
    };
  };
  return {
    async changeRoot({ on }) {
      const kind = rootKinds.find((each) => each === on?.id);
      if (kind === undefined)
        throw new Problem("invalid", "no such kind of root key", { remedy: rootKinds.join(", ") });
      if (kind === "passphrase") return toNewPassphrase();
      if (nextRootKey === undefined || kindOf(nextRootKey) !== kind) {
        throw new Problem("invalid", "the new root key is not configured", {
          remedy: `set LEADGLASS_NEXT_ROOT_KEY=${kind}:… (or "nextRootKey" in leadglass.json), start again, then ask again`,
        });
      }
      await keyring.changeRoot(rootNamed(nextRootKey, configuration));
      const next = "set LEADGLASS_ROOT_KEY to what LEADGLASS_NEXT_ROOT_KEY says, at the latest before you remove that";
      return { root: kind, next } satisfies RootView;
    },
    makeRecoveryKit: async () => ({ shares: await keyring.makeRecoveryKit() }) satisfies RecoverySharesView,
  };
}
