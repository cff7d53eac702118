import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "#base/clock";
import { type Random, systemRandom } from "#base/id";
import { type Files, systemFiles } from "#base/io";
import { Problem } from "#base/problem";
import { createKeyring, createPassphrase, type Keyring, openKeyring, recoverKeyring, type Vault } from "#trust/vault";
import type { HomePaths } from "./home.ts";

const keyPurpose = "server certificate key";

/** Reads the root passphrase. Kept by the operator: in the home for a first try, elsewhere (a mount, a secret) for good. */
export async function readPassphrase(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    const remedy = "restore it from the recovery kit, or name it with --passphrase-file or LEADGLASS_PASSPHRASE_FILE";
    throw new Problem("absent", "the root passphrase file cannot be read", { remedy, cause: error });
  }
}

async function writePassphrase(file: string, random: Random): Promise<void> {
  await systemFiles.makeFolder(dirname(file));
  await writeFile(file, `${createPassphrase(random)}\n`, { mode: 0o600, flag: "wx", flush: true });
}

/** Opens the keyring of a home; makes passphrase and keyring when the home is new. */
export async function openOrMakeKeyring(paths: HomePaths, passphraseFile: string, random: Random): Promise<Keyring> {
  const files: Files = systemFiles;
  const made = (await files.list(paths.keys)).length > 0;
  if (!made && !(await files.exists(passphraseFile))) await writePassphrase(passphraseFile, random);
  const passphrase = await readPassphrase(passphraseFile);
  const place = { files, folder: paths.keys, passphrase, random };
  return made ? openKeyring(place) : createKeyring({ ...place, tenants: [tenantName] });
}

/** Opens a keyring that came back from a backup: with the passphrase of its home, or with shares of the recovery kit. */
export function keyringOpener(
  passphraseFile: string,
  shares: readonly string[] | undefined,
): (folder: string) => Promise<Keyring> {
  const files: Files = systemFiles;
  const random = systemRandom;
  return async (folder) => {
    if (shares === undefined)
      return openKeyring({ files, folder, random, passphrase: await readPassphrase(passphraseFile) });
    if (!(await files.exists(passphraseFile))) await writePassphrase(passphraseFile, random);
    return recoverKeyring({ files, folder, random, shares, passphrase: await readPassphrase(passphraseFile) });
  };
}

/** The one tenant of this version. */
export const tenantName = "main";

/** The server's certificate and key; made when the home has none, or when it ends within a month. */
export async function openOrMakeCertificates(
  paths: HomePaths,
  hosts: readonly string[],
  parts: { vault: Vault; clock: Clock; random: Random },
): Promise<{ key: string; cert: string; fingerprint: string }> {
  const { vault, clock, random } = parts;
  const { certificateEndsAt, fingerprintOf } = await import("./certificate-facts.ts");
  if (await systemFiles.exists(paths.certificateKey)) {
    const cert = await readFile(paths.certificate, "utf8");
    if (certificateEndsAt(cert) > clock.now() + 30 * 86_400_000) {
      const key = vault.openSecret(keyPurpose, await readFile(paths.certificateKey)).toString("utf8");
      return { key, cert, fingerprint: fingerprintOf(cert) };
    }
  }
  const { makeCertificates } = await import("./certificates.ts");
  const names = [...new Set(["localhost", "127.0.0.1", "::1", ...hosts])];
  const made = await makeCertificates(names, clock, random);
  await writeFile(paths.ca, made.ca, { mode: 0o644, flush: true });
  await writeFile(paths.certificate, made.certificate, { mode: 0o600, flush: true });
  await writeFile(paths.certificateKey, vault.sealSecret(keyPurpose, Buffer.from(made.key, "utf8")), {
    mode: 0o600,
    flush: true,
  });
  return { key: made.key, cert: made.certificate, fingerprint: fingerprintOf(made.certificate) };
}
