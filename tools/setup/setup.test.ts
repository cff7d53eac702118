import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { commandEnvironment } from "../../tests/house/index.ts";

const scratch = mkdtempSync(join(tmpdir(), "leadglass-setup-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const repository = dirname(dirname(import.meta.dirname));

/** A program that says when it is ready, counts each signal it gets, and leaves with `code` a moment after the first. */
function writeCounter(name: string, code: number): string {
  const path = join(scratch, name);
  writeFileSync(
    path,
    `let got = [];
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {
      if (got.push(signal) === 1) setTimeout(() => { process.stdout.write(got.join(" ")); process.exit(${code}); }, 600);
    });
    setInterval(() => {}, 1000);
    process.stdout.write("ready\\n");`,
  );
  return path;
}

/** Runs a program through `runToEnd`, calls `act` when it is ready, and gives what it printed and our exit code. */
async function runThrough(program: string, act: (parent: ChildProcess) => void) {
  const module = pathToFileURL(join(import.meta.dirname, "child.mjs")).href;
  const code = `import { runToEnd } from ${JSON.stringify(module)};
    process.exitCode = await runToEnd(process.execPath, [${JSON.stringify(program)}], {});`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  parent.stdout.on("data", (piece: Buffer) => {
    output += piece.toString();
    if (output === "ready\n") act(parent);
  });
  const exit = await new Promise((resolve) => parent.on("close", (status, signal) => resolve(status ?? signal)));
  return { output: output.replace("ready\n", ""), exit };
}

test("a signal that comes from the terminal and from npm reaches the server once, and its exit code is ours", async () => {
  const twice = (parent: ChildProcess) => {
    parent.kill("SIGINT");
    setTimeout(() => parent.kill("SIGINT"), 50);
  };
  assert.deepEqual(await runThrough(writeCounter("stops.mjs", 0), twice), { output: "SIGINT", exit: 0 });
  const terminate = (parent: ChildProcess) => parent.kill("SIGTERM");
  assert.deepEqual(await runThrough(writeCounter("fails.mjs", 3), terminate), { output: "SIGTERM", exit: 3 });
});

test("a second press of Ctrl-C is passed on as well", async () => {
  const pressTwice = (parent: ChildProcess) => {
    parent.kill("SIGINT");
    setTimeout(() => parent.kill("SIGINT"), 500);
  };
  assert.equal((await runThrough(writeCounter("insists.mjs", 0), pressTwice)).output, "SIGINT SIGINT");
});

test("bin/leadglass runs the command from any folder and through a link, and prints nothing of its own", () => {
  const checkout = join(scratch, "a checkout");
  const bin = join(checkout, "node_modules", ".bin");
  for (const folder of [bin, join(checkout, "bin"), join(checkout, "node_modules", ".leadglass")]) {
    mkdirSync(folder, { recursive: true });
  }
  for (const file of ["leadglass", "node-flags"]) {
    copyFileSync(join(repository, "bin", file), join(checkout, "bin", file));
  }
  // Stands for the pinned Node: prints what it is asked to run.
  writeFileSync(join(bin, "node"), '#!/bin/sh\nfor each in "$@"; do printf "[%s]" "$each"; done\n');
  chmodSync(join(bin, "node"), 0o755);
  writeFileSync(join(checkout, "package-lock.json"), "{}");
  utimesSync(join(checkout, "package-lock.json"), 1, 1);
  writeFileSync(join(checkout, "node_modules", ".leadglass", "installed"), "");
  mkdirSync(join(scratch, "links"));
  symlinkSync("../a checkout/bin/leadglass", join(scratch, "links", "first"));
  symlinkSync("first", join(scratch, "links", "second"));

  const run = (...args: string[]) =>
    execFileSync(join(scratch, "links", "second"), args, { cwd: "/", encoding: "utf8" });
  const flags = readFileSync(join(repository, "bin", "node-flags"), "utf8")
    .trim()
    .split("\n");
  const command = [...flags, `${checkout}/apps/cli/main.ts`].map((word) => `[${word}]`).join("");
  assert.equal(run("status", "--home", "a b"), `${command}[status][--home][a b]`);
  assert.equal(run("start"), `${command}[start]`, "the set-up before a start says nothing on stdout");
  // A lock file that is newer than the set-up asks for the set-up first, on stderr too.
  utimesSync(join(checkout, "package-lock.json"), new Date(), new Date(Date.now() + 60_000));
  assert.equal(run("status"), `${command}[status]`);
});

test("the unit and the tests give Node what bin/leadglass gives it", () => {
  const text = (path: string) => readFileSync(join(repository, path), "utf8");
  const [, threshold] = /MALLOC_TRIM_THRESHOLD_=\$\{MALLOC_TRIM_THRESHOLD_-(\d+)\}/.exec(text("bin/leadglass")) ?? [];
  assert.equal(commandEnvironment.MALLOC_TRIM_THRESHOLD_, threshold);
  assert.match(text("docs/leadglass.service"), new RegExp(`^Environment=MALLOC_TRIM_THRESHOLD_=${threshold}$`, "m"));
});

test("an unknown command of the set-up is refused with the ones there are", () => {
  const run = () =>
    execFileSync(process.execPath, [join(import.meta.dirname, "run.mjs"), "constructor"], { stdio: "pipe" });
  assert.throws(run, (error: { status?: number; stderr?: Buffer }) => {
    assert.match(String(error.stderr), /one of setup, build, start, test/);
    return error.status === 2;
  });
});
