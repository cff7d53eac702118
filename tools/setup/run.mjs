// What `npm start`, `npm test` and the other scripts call: does the set-up that is needed, then the work, with the
// pinned Node. Plain JavaScript that runs on Node 20 with nothing installed.
import { delimiter, dirname, join } from "node:path";
import { alone } from "./alone.mjs";
import { runToEnd } from "./child.mjs";
import { install, isInstalled, nodePath } from "./install.mjs";
import { isRelease, modules, root, SetupError, tell } from "./places.mjs";
import { buildWeb } from "./web.mjs";

const [command = "", ...args] = process.argv.slice(2);

const commands = {
  /** Set-up alone, for `bin/leadglass`. */
  setup: () => done(),
  build: () => done(isRelease ? undefined : buildWeb),
  /** The command itself sets up, builds and knows how Node is to be started. */
  start: () => runToEnd(join(root, "bin", "leadglass"), ["start", ...args], { cwd: process.cwd() }),
  test: () => runAfter(undefined, "tools/test/run.ts", ...args),
  check: () => runAfter(undefined, "tools/test/run.ts", "tidy", "types", "style"),
  bench: () => runAfter(buildWeb, "bench/main.ts", ...args),
  faults: () => runAfter(buildWeb, "tests/faults/main.ts", ...args),
  fuzz: () => runAfter(undefined, "tests/fuzz/main.ts", ...args),
  release: () => runAfter(undefined, "tools/release/main.ts", ...args),
};

async function done(build) {
  await prepare(build);
  return 0;
}

async function prepare(build) {
  if (!isInstalled()) await alone(install);
  if (build !== undefined) await alone(build);
}

async function runAfter(build, file, ...rest) {
  await prepare(build);
  const node = nodePath();
  const path = [dirname(node), join(modules, ".bin"), process.env.PATH ?? ""].join(delimiter);
  const args = ["--disable-warning=ExperimentalWarning", join(root, file), ...rest];
  return runToEnd(node, args, { cwd: root, env: { ...process.env, PATH: path } });
}

const work = Object.hasOwn(commands, command) ? commands[command] : undefined;
if (work === undefined) {
  tell(`Unknown command "${command}": one of ${Object.keys(commands).join(", ")}.`);
  process.exitCode = 2;
} else {
  try {
    process.exitCode = await work();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    tell(error.message);
    process.exitCode = 1;
  }
}
