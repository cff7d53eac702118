import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { nodePath, readStamp, sha256, writeStamp } from "./install.mjs";
import { lockFile, modules, root, SetupError, tell, web, webBuilt, webStamp } from "./places.mjs";

const builtFrom = [web, ...["base", "formats", "imaging"].map((floor) => join(root, floor))];

/**
 * Builds the browser application when what it is made of changed. The stamp's first line is over sizes and times of
 * the files, which is quick; only when that differs are the files read (a checkout touches files and changes none).
 */
export async function buildWeb() {
  if (!existsSync(join(web, "index.html"))) return;
  const files = builtFrom.flatMap((folder) => sourcesIn(folder)).concat(lockFile, join(root, "package.json"));
  const [stampedTimes, stampedBytes] = readStamp(webStamp).split("\n");
  const times = sha256(files.map(sizeAndTime).join("\n"));
  if (times === stampedTimes && existsSync(webBuilt)) return;
  const bytes = sha256(files.map((file) => `${relative(root, file)} ${sha256(readFileSync(file))}`).join("\n"));
  if (bytes !== stampedBytes || !existsSync(webBuilt)) {
    rmSync(webStamp, { force: true });
    await runVite();
  }
  writeStamp(webStamp, `${times}\n${bytes}`);
}

function sizeAndTime(file) {
  const { size, mtimeMs } = statSync(file);
  return `${relative(root, file)} ${size} ${mtimeMs}`;
}

function sourcesIn(folder) {
  if (!existsSync(folder)) return [];
  const found = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!["node_modules", "dist", ".vite"].includes(entry.name)) found.push(...sourcesIn(path));
    } else if (entry.isFile() && !/\.test\.tsx?$/.test(entry.name)) {
      found.push(path);
    }
  }
  return found.sort();
}

function runVite() {
  tell("Building the browser application");
  const started = Date.now();
  const args = [join(modules, "vite", "bin", "vite.js"), "build", "--logLevel", "warn"];
  return new Promise((resolve, reject) => {
    const child = spawn(nodePath(), args, { cwd: web, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (piece) => (output += piece));
    child.stderr.on("data", (piece) => (output += piece));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) tell(`Built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
      if (code === 0) resolve();
      else reject(new SetupError(`${output}\nThe browser application (apps/web) does not build; see above.`));
    });
  });
}
