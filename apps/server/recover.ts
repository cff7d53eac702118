import { systemRandom as random } from "#base/id";
import { systemFiles as files } from "#base/io";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { lockHome } from "#stores/sql";
import { operator } from "#trust/access";
import { recoverKeyring } from "#trust/vault";
import { pathsOf } from "../home/index.ts";
import type { Configuration } from "./configuration.ts";
import { openHouse } from "./house.ts";
import { withNewPassphrase } from "./root-keys.ts";

/**
 * Opens the keyring of a home that does not run with two shares of its recovery kit, and puts it under a new passphrase, which is
 * written to the passphrase file. The log of the home tells of it.
 */
export async function recoverHome(configuration: Configuration, shares: readonly string[]): Promise<void> {
  const paths = pathsOf(configuration.home);
  if (!(await files.exists(paths.keys))) {
    throw new Problem("absent", "this is no home", { remedy: "name the home with --home" });
  }
  const lock = lockHome(paths.lock);
  if (lock === undefined) {
    throw new Problem("conflict", "another process has this home open", { remedy: "stop it first" });
  }
  try {
    await withNewPassphrase(paths.keys, configuration.passphraseFile, async (root) => {
      (await recoverKeyring({ files, folder: paths.keys, random, shares, root })).wipe();
    });
    const house = await openHouse({ ...configuration, rootKey: "passphrase" }, paths, silentLog);
    try {
      await house.gate.pass(operator, "vault.recover", undefined, async () => {});
    } finally {
      await house.close();
    }
  } finally {
    lock.release();
  }
}
