import { isTestCode, isWeb, placeOf } from "../layout.ts";
import { type Finding, type Rule, type Tree, targetOf } from "../tree.ts";

const list = "docs/dependencies.md";
const manifests = ["package.json", "apps/web/package.json"];
const runtimeKeys = ["dependencies", "optionalDependencies"];
const allKeys = [...runtimeKeys, "devDependencies"];

interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly line: number;
}

function dependenciesIn(tree: Tree, file: string, keys = allKeys): Dependency[] {
  const text = tree.read(file);
  if (text === undefined) return [];
  const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
  return keys.flatMap((key) =>
    Object.entries(manifest[key] ?? {}).map(([name, version]) => ({
      name,
      version,
      file,
      line: lineOf(text, `"${name}":`),
    })),
  );
}

function lineOf(text: string, part: string): number {
  return text.slice(0, Math.max(0, text.indexOf(part))).split("\n").length;
}

/** Rows of the tables in docs/dependencies.md: `| \`name\` | reason |`. */
function listed(tree: Tree): { name: string; reason: string; line: number }[] {
  return (tree.read(list) ?? "").split("\n").flatMap((row, index) => {
    const [, name = "", reason = ""] = /^\|\s*`([^`]+)`\s*\|(.*)\|\s*$/.exec(row) ?? [];
    return name === "" ? [] : [{ name, reason: reason.trim(), line: index + 1 }];
  });
}

function listFaults(tree: Tree): Finding[] {
  const rows = listed(tree);
  const declared = manifests.flatMap((file) => dependenciesIn(tree, file));
  const unlisted = declared.filter(({ name }) => !rows.some((row) => row.name === name));
  const gone = rows.filter((row) => !declared.some(({ name }) => name === row.name));
  const twice = rows.filter((row, index) => rows.findIndex(({ name }) => name === row.name) !== index);
  return [
    ...unlisted.map(({ name, file, line }) => ({
      file,
      line,
      message: `${name} is not in ${list}: add it with its reason`,
    })),
    ...gone.map(({ name, line }) => ({
      file: list,
      line,
      message: `${name} is no dependency any more: remove the row`,
    })),
    ...twice.map(({ name, line }) => ({ file: list, line, message: `${name} is listed twice` })),
    ...rows
      .filter((row) => row.reason === "")
      .map(({ name, line }) => ({ file: list, line, message: `${name} has no reason` })),
    ...declared
      .filter(({ version }) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(({ name, version, file, line }) => ({ file, line, message: `${name} ${version}: pin one exact version` })),
  ];
}

/** What is imported is declared, and what the product imports is no development dependency. */
function undeclared(tree: Tree): Finding[] {
  if (tree.read("package.json") === undefined) return [];
  const named = (file: string, keys?: string[]) => dependenciesIn(tree, file, keys).map(({ name }) => name);
  const [root = "", web = ""] = manifests;
  const allowed = { product: named(root, runtimeKeys), test: named(root), web: [...named(web), ...named(root)] };
  return tree.sources.flatMap((source) => {
    if (placeOf(source.path) === undefined) return [];
    const names = isWeb(source.path) ? allowed.web : isTestCode(source.path) ? allowed.test : allowed.product;
    return source.imports.flatMap(({ specifier, isType, at }) => {
      const target = specifier === undefined ? undefined : targetOf(source.path, specifier);
      if (target?.kind !== "package" || target.name.startsWith("virtual:")) return [];
      if (names.includes(target.name) || (isType && allowed.test.includes(target.name))) return [];
      const message = `${target.name} is no dependency in package.json for this code: declare it and list it in ${list}`;
      return [{ file: source.path, line: source.lineOf(at), message }];
    });
  });
}

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** `npm ci` refuses a lock file that lacks a build for another platform; npm leaves one out where its registry has none. */
function unlocked(tree: Tree): Finding[] {
  const file = "package-lock.json";
  const text = tree.read(file);
  if (text === undefined) return [];
  const { packages = {} } = JSON.parse(text) as { packages?: Record<string, Locked | undefined> };
  return Object.entries(packages).flatMap(([path, entry]) => {
    const missing = Object.keys(entry?.optionalDependencies ?? {}).filter((name) => !isLocked(packages, path, name));
    return missing.map((name) => {
      const message = `${name} is missing, and npm ci will refuse: node tools/setup/complete-lock.mjs`;
      return { file, line: lineOf(text, `"${path}": {`), message };
    });
  });
}

function isLocked(packages: Readonly<Record<string, unknown>>, path: string, name: string): boolean {
  if (packages[path === "" ? `node_modules/${name}` : `${path}/node_modules/${name}`] !== undefined) return true;
  return path !== "" && isLocked(packages, path.slice(0, Math.max(0, path.lastIndexOf("/node_modules/"))), name);
}

export const dependencyRules: readonly Rule[] = [
  { id: "dependencies", what: `every dependency is pinned and stands in ${list} with its reason`, check: listFaults },
  { id: "declared", what: "every package that is imported is declared", check: undeclared },
  { id: "locked", what: "the lock file holds the builds for every platform", check: unlocked },
];
