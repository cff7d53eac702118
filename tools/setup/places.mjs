// Where the set-up keeps what it made. Plain JavaScript: this runs on whatever Node the host has, with nothing installed.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const modules = join(root, "node_modules");
export const lockFile = join(root, "package-lock.json");

/** Goes away with node_modules, so that a removed node_modules is a set-up that has not been done. */
export const stamps = join(modules, ".leadglass");
export const installedStamp = join(stamps, "installed");
export const webStamp = join(stamps, "web");

export const web = join(root, "apps", "web");
export const webBuilt = join(web, "dist", "index.html");

/** An unpacked release is built already, and installs nothing that only builds and tests. */
export const isRelease = existsSync(join(root, "release.json"));

/** What happens is told on stderr: stdout belongs to the command that was asked for. */
export function tell(line) {
  process.stderr.write(`${line}\n`);
}

export class SetupError extends Error {}
