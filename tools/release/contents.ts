import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join, posix } from "node:path";
import { Problem } from "#base/problem";
import type { Entry } from "./tar.ts";

/** The product's floors, and what else a machine needs that runs it, or who reads what it runs. */
const folders = [
  "base",
  "formats",
  "imaging",
  "trust",
  "radiology",
  "stores",
  "doors",
  "apps",
  "bin",
  "docs",
  "tools/setup",
];
const files = new Set([
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "package-lock.json",
  "package.json",
  // The lock file speaks of this workspace; of the browser application itself only the built one is there.
  "apps/web/package.json",
  "tools/verify_log.py",
]);

/** Whether a committed file is for the machines that run the product: no tests, no measurements, no sources of what is built. */
export function isReleased(path: string): boolean {
  if (files.has(path)) return true;
  if (path.startsWith("apps/web/") || /\.(test|contract|fixture)\.\w+$/.test(path)) return false;
  return folders.some((folder) => path.startsWith(`${folder}/`));
}

/** What of a checkout is committed and released. Modes come from Git: those of the files are a matter of umask. */
export function committedEntries(checkout: string): Entry[] {
  const listed = execFileSync("git", ["ls-files", "--stage", "-z"], { cwd: checkout, encoding: "utf8" });
  return listed
    .split("\0")
    .map((line) => /^(\d+) \S+ \d\t(.*)$/s.exec(line) ?? [])
    .filter(([, , path]) => path !== undefined && isReleased(path))
    .map(([, mode, path = ""]) => {
      if (mode !== "100644" && mode !== "100755") throw new Problem("invalid", `${path} is no plain file`);
      return { path, executable: mode === "100755", read: () => readFileSync(join(checkout, path)) };
    });
}

/** Everything under `folder` of a checkout but what `isLeftOut` says. Links stay links, and within the release. */
export function entriesUnder(checkout: string, folder: string, isLeftOut: (path: string) => boolean): Entry[] {
  return readdirSync(join(checkout, folder), { recursive: true, encoding: "utf8" }).flatMap((name): Entry[] => {
    const path = posix.join(folder, name);
    const at = join(checkout, path);
    const stat = lstatSync(at);
    if (stat.isDirectory() || isLeftOut(path)) return [];
    if (stat.isFile()) return [{ path, executable: (stat.mode & 0o100) !== 0, read: () => readFileSync(at) }];
    const target = stat.isSymbolicLink() ? readlinkSync(at) : "/";
    const leads = posix.join(posix.dirname(path), target);
    if (posix.isAbsolute(target) || leads.startsWith("..")) throw new Problem("invalid", `${path} is no plain file`);
    return [{ path, target }];
  });
}

/** A line for each file, as `sha256sum --check` reads it. */
export function sumsOf(entries: readonly Entry[]): string {
  return entries
    .flatMap((entry) => ("target" in entry ? [] : [`${sha256(entry.read())}  ${entry.path}\n`]))
    .sort((one, other) => (one.slice(64) < other.slice(64) ? -1 : 1))
    .join("");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
