import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

export interface SoftHsm {
  readonly modulePath: string;
  readonly pinFile: string;
  readonly tokens: string;
  uri(object: string, more?: string): string;
}

const modulePath = "/usr/lib/softhsm/libsofthsm2.so";
let made: SoftHsm | undefined;

/** A token of SoftHSM, made once a process; undefined, having skipped the test, where SoftHSM or the add-on is not there. */
export function softHsm(t: TestContext): SoftHsm | undefined {
  if (!existsSync(modulePath)) return skipped(t, "needs SoftHSM: apt install softhsm2");
  try {
    createRequire(import.meta.url)("pkcs11js");
  } catch {
    return skipped(t, "needs the PKCS#11 add-on: npm rebuild pkcs11js");
  }
  made ??= makeToken();
  return made;
}

function skipped(t: TestContext, why: string): undefined {
  t.skip(why);
  return undefined;
}

function makeToken(): SoftHsm {
  const folder = mkdtempSync(join(tmpdir(), "leadglass-softhsm-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const tokens = join(folder, "tokens");
  mkdirSync(tokens);
  const pin = randomBytes(6).toString("hex");
  writeFileSync(
    join(folder, "conf"),
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  // The library reads it when it is loaded, in whatever thread.
  process.env.SOFTHSM2_CONF = join(folder, "conf");
  execFileSync("softhsm2-util", ["--init-token", "--free", "--label", "leadglass", "--pin", pin, "--so-pin", pin], {
    stdio: "ignore",
  });
  const pinFile = join(folder, "pin");
  writeFileSync(pinFile, `${pin}\n`, { mode: 0o600 });
  return {
    modulePath,
    pinFile,
    tokens: globSync(`${tokens}/*`)[0] ?? tokens,
    uri: (object, more = "") =>
      `pkcs11:token=leadglass;object=${object}${more}?module-path=${modulePath}&pin-source=file:${pinFile}`,
  };
}
