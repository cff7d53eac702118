// `node tools/setup/complete-lock.mjs`: adds to package-lock.json what npm leaves out of it where a registry does not carry
// a package's builds for other platforms. `npm ci` refuses a lock file without them, on every platform. An added entry names
// platform and version, so that npm passes it over where it does not fit; it holds no hash, since nobody has seen the file.
// Then writes the bill of materials anew.
import { readFileSync, writeFileSync } from "node:fs";
import { writeBill } from "./bill-of-materials.mjs";
import { lockFile, tell } from "./places.mjs";

const lock = JSON.parse(readFileSync(lockFile, "utf8"));
const platform =
  /-(android|darwin|freebsd|linux|openbsd|win32)-(arm64|arm|x64|ia32|ppc64|riscv64|s390x)(?:-(musl|gnu))?$/;
let added = 0;

for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (isLocked(path, name)) continue;
    const [, os, cpu, libc] = platform.exec(name) ?? [];
    if (os === undefined) {
      tell(`${name}, wanted by ${path}, names no platform: run npm install where it can be had`);
      process.exitCode = 1;
      continue;
    }
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(dev ? { dev } : {}),
      ...(libc ? { libc: [libc === "gnu" ? "glibc" : libc] } : {}),
      optional: true,
      os: [os],
    };
    added++;
  }
}

lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([one], [other]) => (one < other ? -1 : 1)));
if (added > 0) writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
tell(added === 0 ? "The lock file is complete" : `Added ${added} packages for other platforms`);
writeBill();

/** Looks where Node would, from the package's own node_modules up to the root's. */
function isLocked(path, name) {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf("/node_modules/")))) {
    if (lock.packages[`${from === "" ? "" : `${from}/`}node_modules/${name}`] !== undefined) return true;
    if (from === "") return false;
  }
}
