import { execFileSync, spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { Problem } from "#base/problem";
import { committedEntries, entriesUnder, sha256, sumsOf } from "./contents.ts";
import { isSignedBy, readSigningKey, signatureOf } from "./signing.ts";
import { type Entry, tarOf } from "./tar.ts";

export const platforms = ["linux-x64", "linux-arm64"] as const;
type Platform = (typeof platforms)[number];

interface ReleaseOptions {
  readonly repository: string;
  /** Where the files are put. */
  readonly into: string;
  /** The packages of this platform are put in too, for machines that reach no registry. */
  readonly modulesFor?: Platform;
  /** PKCS #8 in PEM. Without one the release is not signed. */
  readonly key?: string;
  readonly tell: (line: string) => void;
}

interface Checkout {
  readonly folder: string;
  readonly commit: string;
  readonly version: string;
  /** When it was committed, Unix time: the one time that is in a release. */
  readonly seconds: number;
}

/**
 * Makes a release of the repository's newest commit: the archive, its bill of materials, their hashes, the signature. All of it comes from a
 * checkout of its own, so that nothing of a working tree gets in; the same commit gives the same bytes wherever it is made. Returns the paths.
 */
export async function makeRelease({ repository, into, modulesFor, key, tell }: ReleaseOptions): Promise<string[]> {
  const signingKey = key === undefined ? undefined : readSigningKey(key);
  const scratch = mkdtempSync(join(tmpdir(), "leadglass-release-"));
  try {
    const checkout = checkOut(repository, join(scratch, "checkout"));
    const left = git(repository, "status", "--porcelain").split("\n").length - 1;
    if (left > 0) tell(`${left} uncommitted changes are not in it`);
    const bill = checkedBill(checkout.folder);
    setUp(checkout, "build");
    const entries = releasedEntries(checkout, modulesFor);
    const name = ["leadglass", checkout.version, ...(modulesFor === undefined ? [] : [modulesFor])].join("-");
    mkdirSync(into, { recursive: true });
    const archive = join(into, `${name}.tar.gz`);
    await writeArchive(archive, tarOf(within(name, entries), checkout.seconds));
    const bytes = readFileSync(archive);
    const billFile = join(into, `${name}.cdx.json`);
    writeFileSync(billFile, bill);
    writeFileSync(
      join(into, `${name}.sha256`),
      `${sha256(bytes)}  ${basename(archive)}\n${sha256(bill)}  ${basename(billFile)}\n`,
    );
    // One of an earlier run would be of another key, or of other bytes.
    rmSync(`${archive}.sig`, { force: true });
    if (signingKey !== undefined) writeFileSync(`${archive}.sig`, signatureOf(bytes, signingKey));
    return [archive, ...(signingKey === undefined ? [] : [`${archive}.sig`]), billFile, join(into, `${name}.sha256`)];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Under its name when it is whole. */
async function writeArchive(archive: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const part = `${archive}.part`;
  try {
    await pipeline(pieces, createGzip({ level: constants.Z_BEST_COMPRESSION }), createWriteStream(part));
    renameSync(part, archive);
  } finally {
    rmSync(part, { force: true });
  }
}

/** Whether `archive` is what the holder of the key signed (`archive.sig`). Throws where it is not; returns its SHA-256. */
export function verifyRelease(archive: string, publicKeyFile: string): string {
  const bytes = readFileSync(archive);
  if (!isSignedBy(bytes, readFileSync(`${archive}.sig`), publicKeyFile)) {
    throw new Problem("damaged", `${basename(archive)} is not what this key signed`, { remedy: "do not install it" });
  }
  return sha256(bytes);
}

/** A clone that shares objects with the repository, without its hooks and the user's conversions of line ends. */
function checkOut(repository: string, folder: string): Checkout {
  const commit = git(repository, "rev-parse", "--verify", "HEAD").trim();
  git(repository, "clone", "--quiet", "--shared", "--no-checkout", "--template=", ".", folder);
  git(
    folder,
    "-c",
    "core.autocrlf=false",
    "-c",
    "advice.detachedHead=false",
    "checkout",
    "--quiet",
    "--detach",
    commit,
  );
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  if (!/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) throw new Problem("invalid", "package.json says no version");
  return { folder, commit, version, seconds: Number(git(folder, "show", "--no-patch", "--format=%ct", commit)) };
}

/** The bill of materials of the commit's lock file, which the commit holds as well. */
function checkedBill(checkout: string): Buffer {
  const program = join(checkout, "tools", "setup", "bill-of-materials.mjs");
  const input = readFileSync(join(checkout, "package-lock.json"));
  const bill = execFileSync(process.execPath, [program, "-"], { input, maxBuffer: 2 ** 26 });
  if (!bill.equals(readFileSync(join(checkout, "docs", "sbom.cdx.json")))) {
    throw new Problem("conflict", "docs/sbom.cdx.json is not of this lock file", {
      remedy: "node tools/setup/bill-of-materials.mjs, read what it brings, and commit it",
    });
  }
  return bill;
}

function releasedEntries(checkout: Checkout, modulesFor: Platform | undefined): Entry[] {
  const { folder, commit, version, seconds } = checkout;
  const changed = git(folder, "status", "--porcelain", "--untracked-files=no");
  if (changed !== "") throw new Problem("fault", `the build changed committed files:\n${changed}`);
  const entries = [...committedEntries(folder), ...entriesUnder(folder, "apps/web/dist", () => false)];
  const committedAt = new Date(seconds * 1000).toISOString();
  const about = { name: "leadglass", version, commit, committedAt, ...(modulesFor && { modulesFor }) };
  entries.push(textEntry("release.json", `${JSON.stringify(about, null, 2)}\n`));
  if (modulesFor !== undefined) entries.push(...moduleEntries(checkout, modulesFor));
  return [...entries, textEntry("SHA256SUMS", sumsOf(entries))];
}

/** The packages as the set-up of an unpacked release installs them: without those that only build and test. */
function moduleEntries(checkout: Checkout, platform: Platform): Entry[] {
  const { folder } = checkout;
  for (const each of ["node_modules", "apps/web/node_modules"])
    rmSync(join(folder, each), { recursive: true, force: true });
  writeFileSync(join(folder, "release.json"), "{}");
  const [os, cpu] = platform.split("-");
  setUp(checkout, "setup", { npm_config_os: os, npm_config_cpu: cpu, npm_config_libc: "glibc" });
  // npm's own note of what it placed names the registry that it came from.
  return entriesUnder(folder, "node_modules", (path) => path === "node_modules/.package-lock.json");
}

/** Of our environment, what a set-up needs to reach a registry, and nothing that changes what is built. */
const passedOn = /^(PATH|HOME|TMPDIR|(no|https?)_proxy|npm_config_\w+|NODE_EXTRA_CA_CERTS)$/i;

function setUp({ folder, seconds }: Checkout, command: string, more: NodeJS.ProcessEnv = {}): void {
  const passed = Object.entries(process.env).filter(([name]) => passedOn.test(name));
  const env = {
    ...Object.fromEntries(passed),
    ...{ TZ: "UTC", LC_ALL: "C.UTF-8", SOURCE_DATE_EPOCH: String(seconds) },
    ...more,
  };
  try {
    const stdio = ["ignore", "ignore", "inherit"] as const;
    execFileSync(process.execPath, [join(folder, "tools", "setup", "run.mjs"), command], {
      cwd: folder,
      env,
      stdio: [...stdio],
    });
  } catch (cause) {
    throw new Problem("fault", `the set-up of the checkout (${command}) failed; see above`, { cause });
  }
}

function textEntry(path: string, text: string): Entry {
  return { path, executable: false, read: () => Buffer.from(text) };
}

function within(folder: string, entries: readonly Entry[]): Entry[] {
  return entries.map((entry) => ({ ...entry, path: `${folder}/${entry.path}` }));
}

function git(folder: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("git", args, { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 26 });
  if (status === 0) return stdout;
  throw new Problem("invalid", `git ${args[0]} failed: ${stderr?.trim() ?? "is it installed?"}`, {
    remedy: "a release is made in a Git repository with a commit",
  });
}
