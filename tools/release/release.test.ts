import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { isReleased } from "./contents.ts";

const root = dirname(dirname(import.meta.dirname));
const scratch = mkdtempSync(join(tmpdir(), "leadglass-release-test-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Stands for the set-up: builds out of what it sees of its surroundings, and installs a program with a link to it. */
const setUp = `import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
const write = (folder, name, text) => { mkdirSync(folder, { recursive: true }); writeFileSync(folder + "/" + name, text); };
if (process.argv[2] === "build") {
  const { TZ, LC_ALL, NODE_ENV, SOURCE_DATE_EPOCH } = process.env;
  write("apps/web/dist/assets", "index.js", JSON.stringify({ TZ, LC_ALL, NODE_ENV, SOURCE_DATE_EPOCH }));
} else {
  write("node_modules/node-linux/bin", "node", process.env.npm_config_os + process.env.npm_config_cpu);
  chmodSync("node_modules/node-linux/bin/node", 0o755);
  write("node_modules/.bin", "note", "");
  symlinkSync("../node-linux/bin/node", "node_modules/.bin/node");
  write("node_modules", ".package-lock.json", "https://registry.example/");
}`;

const committedAt = "2026-03-29T01:30:00Z";
const name = "leadglass-1.2.3-linux-x64";
const repository = join(scratch, "one", "repository");
const key = join(scratch, "key.pem");
const skip = spawnSync("git", ["--version"]).error === undefined ? false : "needs git: apt install git";

before(() => {
  if (skip !== false) return;
  const sources: Record<string, string> = {
    "package.json":
      '{"name":"leadglass","version":"1.2.3","type":"module","imports":{"#base/*":"./base/*/index.ts"}}\n',
    "package-lock.json": '{"packages":{"":{"name":"leadglass","version":"1.2.3","license":"Apache-2.0"}}}\n',
    "apps/web/package.json": "{}\n",
    "apps/web/src/main.tsx": "unbuilt\n",
    "apps/server/main.ts": "served\n",
    "apps/server/main.test.ts": "a test\n",
    "bin/leadglass": "#!/bin/sh\n",
    "tests/flow.ts": "a flow\n",
    "tools/setup/run.mjs": setUp,
    ".gitignore": "node_modules/\ndist/\n",
  };
  for (const [path, text] of Object.entries(sources)) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), text);
  }
  chmodSync(join(repository, "bin", "leadglass"), 0o755);
  for (const path of ["tools/setup/places.mjs", "tools/setup/bill-of-materials.mjs", "tools/release", "base/problem"])
    cpSync(join(root, path), join(repository, path), { recursive: true });
  mkdirSync(join(repository, "docs"));
  execFileSync(process.execPath, [join(repository, "tools/setup/bill-of-materials.mjs")], { stdio: "ignore" });
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  commit("The first");
  assert.equal(release(repository, ["--new-key", key]).status, 0);
});

function git(...args: string[]): void {
  const env = { ...process.env, GIT_AUTHOR_DATE: committedAt, GIT_COMMITTER_DATE: committedAt };
  const as = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
  execFileSync("git", [...as, ...args], { cwd: repository, env, stdio: "pipe" });
}

function commit(message: string): void {
  git("commit", "--quiet", "--all", "--message", message);
}

/** Runs the tool as it is committed there, in surroundings of a test's choice. */
function release(where: string, args: string[], { umask = "022", env = {} }: { umask?: string; env?: object } = {}) {
  const command = `umask ${umask}; exec "$0" --disable-warning=ExperimentalWarning "$@"`;
  const words = ["-c", command, process.execPath, join(where, "tools/release/main.ts"), ...args];
  const done = spawnSync("/bin/sh", words, { cwd: scratch, env: { ...process.env, ...env }, encoding: "utf8" });
  return { status: done.status, out: done.stdout, told: done.stderr };
}

test("the same commit gives the same bytes in another folder, with another umask, time zone, clock and environment", {
  skip,
}, () => {
  const other = join(scratch, "another place", "repository");
  execFileSync("git", ["clone", "--quiet", repository, other]);
  for (const path of ["apps/server/main.ts", "bin/leadglass"]) chmodSync(join(other, path), 0o777);
  writeFileSync(join(other, "apps/server/stray.ts"), "not committed");
  const clock = join(scratch, "clock.mjs");
  writeFileSync(clock, "const { now } = Date; Date.now = () => now() + 4e11;");
  const first = release(repository, ["--key", key, "--modules", "linux-x64", "--out", join(scratch, "first")]);
  assert.equal(first.status, 0, first.told);
  const second = release(other, ["--key", key, "--modules", "linux-x64", "--out", join(scratch, "second")], {
    umask: "077",
    env: { TZ: "Asia/Kathmandu", LC_ALL: "C", NODE_ENV: "development", NODE_OPTIONS: `--import ${clock}` },
  });
  assert.equal(second.status, 0, second.told);
  assert.match(second.told, /uncommitted changes are not in it/);
  const names = readdirSync(join(scratch, "first")).sort();
  assert.deepEqual(names, [`${name}.cdx.json`, `${name}.sha256`, `${name}.tar.gz`, `${name}.tar.gz.sig`]);
  for (const each of names)
    assert.ok(readFileSync(join(scratch, "first", each)).equals(readFileSync(join(scratch, "second", each))), each);
});

test("other programs unpack it: what is committed for a machine that runs it, what is built, its packages, and no more", {
  skip,
}, () => {
  const into = join(scratch, "unpacked");
  mkdirSync(into);
  execFileSync("tar", ["-xzf", join(scratch, "first", `${name}.tar.gz`), "-C", into]);
  const inside = join(into, name);
  const files = readdirSync(inside, { recursive: true, encoding: "utf8" }).filter((path) => !path.includes("tools/"));
  assert.deepEqual(files.filter((path) => !statSync(join(inside, path)).isDirectory()).sort(), [
    ...["SHA256SUMS", "apps/server/main.ts", "apps/web/dist/assets/index.js", "apps/web/package.json"],
    ...["base/problem/index.ts", "base/problem/problem.ts", "bin/leadglass", "docs/sbom.cdx.json"],
    ...["node_modules/.bin/node", "node_modules/.bin/note", "node_modules/node-linux/bin/node"],
    ...["package-lock.json", "package.json", "release.json"],
  ]);
  assert.equal(readFileSync(join(inside, "node_modules/.bin/node"), "utf8"), "linuxx64", "a link to the program");
  assert.deepEqual(
    ["bin/leadglass", "node_modules/node-linux/bin/node", "apps/server/main.ts", "apps/server"].map(
      (path) => statSync(join(inside, path)).mode & 0o777,
    ),
    [0o755, 0o755, 0o644, 0o755],
  );
  assert.equal(statSync(join(inside, "release.json")).mtime.toISOString(), "2026-03-29T01:30:00.000Z");
  const { commit: of, ...about } = JSON.parse(readFileSync(join(inside, "release.json"), "utf8"));
  assert.match(of, /^[0-9a-f]{40}$/);
  const at = "2026-03-29T01:30:00.000Z";
  assert.deepEqual(about, { name: "leadglass", version: "1.2.3", committedAt: at, modulesFor: "linux-x64" });
  const built = JSON.parse(readFileSync(join(inside, "apps/web/dist/assets/index.js"), "utf8"));
  assert.deepEqual(built, { TZ: "UTC", LC_ALL: "C.UTF-8", SOURCE_DATE_EPOCH: String(Date.parse(committedAt) / 1000) });
  execFileSync("sha256sum", ["--check", "--strict", "--quiet", "SHA256SUMS"], { cwd: inside });
  execFileSync("sha256sum", ["--check", "--strict", "--quiet", `${name}.sha256`], { cwd: join(scratch, "first") });
});

test("openssl checks the signature without us, and so do we; one changed bit, or another key, is refused", {
  skip,
}, (t: TestContext) => {
  const archive = join(scratch, "first", `${name}.tar.gz`);
  const verify = (file: string, by: string) => release(repository, ["--verify", file, "--key", by]);
  assert.match(verify(archive, `${key}.pub`).out, /^signed by this key, SHA-256 [0-9a-f]{64}\n$/);
  const changed = join(scratch, basename(archive));
  const bytes = readFileSync(archive);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(changed, bytes);
  cpSync(`${archive}.sig`, `${changed}.sig`);
  const otherKey = join(scratch, "other.pem");
  release(repository, ["--new-key", otherKey]);
  for (const refused of [verify(changed, `${key}.pub`), verify(archive, `${otherKey}.pub`)]) {
    assert.equal(refused.status, 1);
    assert.match(refused.told, /not what this key signed: do not install it/);
  }
  const openssl = (file: string) => {
    const args = [
      "pkeyutl",
      "-verify",
      "-pubin",
      "-inkey",
      `${key}.pub`,
      "-rawin",
      "-in",
      file,
      "-sigfile",
      `${file}.sig`,
    ];
    return spawnSync("openssl", args, { encoding: "utf8" });
  };
  if (openssl(archive).error !== undefined) return t.skip("needs openssl: apt install openssl");
  assert.match(openssl(archive).stdout, /Signature Verified Successfully/);
  assert.equal(openssl(changed).status, 1);
});

test("a key is its owner's alone and is never written over; one that others may read signs nothing", { skip }, () => {
  const mine = join(scratch, "mine.pem");
  assert.equal(release(repository, ["--new-key", mine], { umask: "000" }).status, 0);
  assert.equal(statSync(mine).mode & 0o777, 0o600);
  const before = readFileSync(mine);
  assert.match(release(repository, ["--new-key", mine]).told, /is there already and stays as it is/);
  assert.ok(readFileSync(mine).equals(before));
  chmodSync(mine, 0o640);
  assert.match(release(repository, ["--key", mine, "--out", join(scratch, "none")]).told, /can be read by others/);
  const text = join(scratch, "text.pem");
  writeFileSync(text, "no key", { mode: 0o600 });
  assert.match(release(repository, ["--key", text, "--out", join(scratch, "none")]).told, /no Ed25519 key in PEM/);
});

test("a lock file whose bill of materials was not written anew is not released", { skip }, () => {
  writeFileSync(join(repository, "package-lock.json"), '{"packages":{"":{"name":"leadglass","version":"6.6.6"}}}');
  commit("A dependency comes");
  const { status, told } = release(repository, ["--out", join(scratch, "none")]);
  assert.equal(status, 1);
  assert.match(told, /docs\/sbom.cdx.json is not of this lock file/);
});

test("every floor that the product imports is released", () => {
  const { imports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    imports: Record<string, string>;
  };
  for (const target of Object.values(imports))
    assert.ok(isReleased(target.replace("./", "").replace("*", "x")), target);
});
