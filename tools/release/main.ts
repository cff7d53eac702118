// `npm run release`: makes, signs and checks releases. docs/operating.md says how one is checked and installed.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { isProblem } from "#base/problem";
import { makeRelease, platforms, verifyRelease } from "./release.ts";
import { makeKey } from "./signing.ts";

const usage = [
  "npm run release -- [--key FILE] [--modules PLATFORM] [--out FOLDER]   make leadglass-VERSION.tar.gz of the newest commit in FOLDER (dist), signed with the key;",
  `                                                                      with the packages for ${platforms.join(" or ")} in it`,
  "npm run release -- --new-key FILE                                     make a key pair: FILE, and FILE.pub to give away",
  "npm run release -- --verify TARBALL --key PUBLIC                      check TARBALL by TARBALL.sig and a public key",
].join("\n");

const tell = (line: string) => process.stderr.write(`${line}\n`);
const print = (line: string) => process.stdout.write(`${line}\n`);

async function run(): Promise<number> {
  const text = { type: "string" } as const;
  const options = {
    key: text,
    modules: text,
    out: text,
    "new-key": text,
    verify: text,
    help: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ options });
  const { key, verify: archive, "new-key": newKey } = values;
  const modulesFor = platforms.find((platform) => platform === values.modules);
  const isMeant = values.modules === modulesFor && (archive === undefined || key !== undefined) && values.help !== true;
  if (!isMeant) {
    tell(usage);
    return values.help === true ? 0 : 2;
  }
  if (newKey !== undefined) print(`${newKey} signs: keep it off this machine. ${makeKey(newKey)} checks: publish it.`);
  else if (archive !== undefined) print(`signed by this key, SHA-256 ${verifyRelease(archive, key ?? "")}`);
  else {
    const repository = resolve(import.meta.dirname, "../..");
    const into = resolve(values.out ?? "dist");
    const made = { repository, into, tell, ...(modulesFor && { modulesFor }), ...(key !== undefined && { key }) };
    for (const path of await makeRelease(made)) print(path);
    if (key === undefined)
      tell("Not signed: openssl pkeyutl -sign -inkey KEY -rawin -in TARBALL -out TARBALL.sig signs it elsewhere");
  }
  return 0;
}

try {
  process.exitCode = await run();
} catch (error) {
  const ours = isProblem(error) || (error as NodeJS.ErrnoException).code !== undefined;
  if (!ours) throw error;
  const { message, remedy } = error as { message: string; remedy?: string };
  tell(remedy === undefined ? message : `${message}: ${remedy}`);
  process.exitCode = 1;
}
