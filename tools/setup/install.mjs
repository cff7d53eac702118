import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installedStamp, isRelease, lockFile, modules, root, SetupError, stamps, tell } from "./places.mjs";

const pinned = join(modules, ".bin", "node");
const hostNodeAtLeast = [24, 7];

export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A stamp is written whole or not at all, whatever stops us. */
export function writeStamp(path, text) {
  mkdirSync(stamps, { recursive: true });
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
}

export function readStamp(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export function isInstalled() {
  return readStamp(installedStamp) === sha256(readFileSync(lockFile));
}

/** Makes node_modules what the lock file says; leaves it alone where it is that already. */
export async function install() {
  if (isInstalled()) return;
  if (!holdsTheLock()) await runNpmCi();
  nodePath();
  writeStamp(installedStamp, sha256(readFileSync(lockFile)));
}

/**
 * Whether node_modules holds what the lock file names, told by the copy that npm leaves of what it installed: so a
 * developer's own `npm install` is not done again. Optional packages may be absent (they are for other platforms).
 */
function holdsTheLock() {
  const placed = readPackages(join(modules, ".package-lock.json"));
  if (placed === undefined) return false;
  const wanted = readPackages(lockFile) ?? {};
  for (const [name, { version, optional, link, integrity }] of Object.entries(wanted)) {
    if (!name.startsWith("node_modules/") && !name.includes("/node_modules/")) continue;
    const there = placed[name];
    if (there === undefined && (optional === true || link === true)) continue;
    if (there === undefined || there.version !== version || there.integrity !== integrity) return false;
    if (!existsSync(join(root, name, "package.json"))) return false;
  }
  return true;
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined;
  }
}

async function runNpmCi() {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const live = process.stderr.isTTY === true;
  const doing = "Installing packages (once; about a minute)";
  tell(live ? `${doing} …` : doing);
  const beat = live ? setInterval(() => process.stderr.write(`\r  ${seconds()} s`), 1000) : undefined;
  const { code, output } = await npm([
    "ci",
    "--ignore-scripts",
    ...(isRelease ? ["--omit=dev", "--workspaces=false"] : ["--include=dev"]),
    "--include=optional",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--loglevel=error",
  ]);
  clearInterval(beat);
  if (live) process.stderr.write("\r");
  if (code !== 0) {
    throw new SetupError(`${output}\nnpm ci failed. Look at npm's message above, check the network, and run it again.`);
  }
  tell(`Installed in ${seconds()} s`);
}

/** The npm that called us, else the one in PATH. Its output is kept for the case that it fails. */
function npm(args) {
  const own = process.env.npm_execpath ?? "";
  const [program, first] = /npm-cli\.c?js$/.test(own) ? [process.execPath, [own]] : ["npm", []];
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...first, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (piece) => (output += piece));
    child.stderr.on("data", (piece) => (output += piece));
    child.on("error", () => reject(new SetupError("npm is not in PATH: install npm, then run this again.")));
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** The Node that runs everything but this set-up: the pinned one, else a host's that is new enough. */
export function nodePath() {
  if (canRun(pinned)) return pinned;
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [atLeastMajor, atLeastMinor] = hostNodeAtLeast;
  if (major > atLeastMajor || (major === atLeastMajor && minor >= atLeastMinor)) return process.execPath;
  throw new SetupError(
    `No pinned Node runs on ${process.platform} ${process.arch}: install Node ${hostNodeAtLeast.join(".")} or later ` +
      `(this one is ${process.versions.node}) and run this again.`,
  );
}

function canRun(path) {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    return false;
  }
  return isInstalled() || spawnSync(path, ["--version"], { stdio: "ignore" }).status === 0;
}
