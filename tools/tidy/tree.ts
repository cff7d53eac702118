import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, posix } from "node:path";
import { parseSync } from "rolldown/utils";
import { type Import, importsIn } from "./imports.ts";
import { placeOf } from "./layout.ts";
import type { Node } from "./syntax.ts";

/** A file of code, parsed. Paths are relative to the root of the tree, with `/`. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly program: Node;
  readonly comments: readonly { readonly value: string; readonly start: number }[];
  readonly imports: readonly Import[];
  /** The first thing that the parser could not read. */
  readonly fault?: string;
  lineOf(offset: number): number;
}

export interface Tree {
  readonly sources: readonly Source[];
  /** Every file, code or not, that a person wrote. */
  readonly files: readonly string[];
  source(path: string): Source | undefined;
  /** Undefined when there is no such file. */
  read(path: string): string | undefined;
}

export interface Finding {
  readonly file: string;
  readonly line: number;
  /** What is wrong and the way out. */
  readonly message: string;
}

export interface Rule {
  readonly id: string;
  /** What holds when it passes, in one sentence. */
  readonly what: string;
  check(tree: Tree): Finding[];
}

const left = new Set(["node_modules", "dist", ".git", ".cache", ".vite", "home"]);
const fixtures = /^tools\/[^/]+\/fixtures$/;
const code = /\.(ts|tsx|mts|cts|js|jsx|mjs|cjs)$/;

export function readTree(root: string): Tree {
  const files = filesIn(root, "").sort();
  const sources = files.filter((file) => code.test(file)).map((file) => readSource(root, file));
  const byPath = new Map(sources.map((source) => [source.path, source]));
  return {
    sources,
    files,
    source: (path) => byPath.get(path),
    read: (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : undefined),
  };
}

function filesIn(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return left.has(entry.name) || fixtures.test(path) ? [] : filesIn(root, path);
    return entry.isFile() && !entry.name.endsWith(".log") ? [path] : [];
  });
}

function readSource(root: string, path: string): Source {
  const text = readFileSync(join(root, path), "utf8");
  const { program, comments, errors } = parseSync(path, text);
  const starts = lineStarts(text);
  const fault = errors[0]?.message;
  return {
    path,
    text,
    program,
    comments,
    imports: importsIn(program),
    ...(fault === undefined ? {} : { fault }),
    lineOf: (offset) => lineAt(starts, offset),
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}

/** What a specifier leads to: a file of the tree, a package (`@scope/name`), a module of Node (`node:fs`). */
export type Target =
  | { readonly kind: "file"; readonly path: string; readonly byName: boolean }
  | { readonly kind: "package"; readonly name: string }
  | { readonly kind: "node"; readonly name: string }
  | { readonly kind: "unknown"; readonly specifier: string };

/** Follows an import as package.json's subpaths do: `#trust/vault` is `trust/vault/index.ts`. Nothing is looked up on disk. */
export function targetOf(from: string, specifier: string): Target {
  if (isBuiltin(specifier)) return { kind: "node", name: `node:${specifier.replace(/^node:/, "")}` };
  if (specifier.startsWith(".")) {
    return { kind: "file", path: posix.join(posix.dirname(from), specifier), byName: false };
  }
  if (specifier.startsWith("#")) {
    const inside = specifier.slice(1);
    const known = /^[a-z]+\/[^/]+$/.test(inside) && placeOf(`${inside}/index.ts`) !== undefined;
    return known ? { kind: "file", path: `${inside}/index.ts`, byName: true } : { kind: "unknown", specifier };
  }
  const [scope = "", name] = specifier.split("/");
  return { kind: "package", name: scope.startsWith("@") ? `${scope}/${name ?? ""}` : scope };
}
