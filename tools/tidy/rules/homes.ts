import { type Home, homes, isAtHome } from "../homes.ts";
import { browserFloors, isTestCode, placeOf } from "../layout.ts";
import { declaredNames, dottedName, isReference, type Node, walk } from "../syntax.ts";
import { type Finding, type Rule, type Source, type Tree, targetOf } from "../tree.ts";

/** A use of a global: its dotted name (`Date.now`), or a call that stands for one. */
interface Use {
  readonly name: string;
  readonly at: number;
}

const known = new WeakMap<Source, Use[]>();

/** Every global that a file uses, members included. A name that the file declares itself is its own. */
function globalsIn(source: Source): Use[] {
  const uses = known.get(source) ?? findGlobals(source);
  known.set(source, uses);
  return uses;
}

function findGlobals(source: Source): Use[] {
  const own = declaredNames(source.program);
  const uses: Use[] = [];
  walk(source.program, (node, parents) => {
    if (!isReference(node, parents) || node.type !== "Identifier" || own.has(node.name)) return;
    const name = fullName(node, parents).replace(/^(globalThis|window|self)\./, "");
    uses.push({ name: isTimeTold(node, parents) ? "Date.now" : name, at: node.start });
  });
  return uses;
}

/** The longest member expression that begins with this identifier. */
function fullName(node: Node, parents: readonly Node[]): string {
  let whole = node;
  for (let i = parents.length - 1; i >= 0; i--) {
    const parent = parents[i];
    if (parent?.type !== "MemberExpression" || parent.object !== whole || dottedName(parent) === undefined) break;
    whole = parent;
  }
  return dottedName(whole) ?? "";
}

/** `new Date()` and `Date()` tell the time; `new Date(ms)` does not. */
function isTimeTold(node: Node, parents: readonly Node[]): boolean {
  const parent = parents.at(-1);
  if (node.type !== "Identifier" || node.name !== "Date") return false;
  if (parent?.type === "CallExpression") return parent.callee === node;
  return parent?.type === "NewExpression" && parent.callee === node && parent.arguments.length === 0;
}

function globalsAway(source: Source): Finding[] {
  return globalsIn(source).flatMap(({ name, at }) => {
    const home = homes.find((each) => each.globals?.some((global) => name === global || name.startsWith(`${global}.`)));
    if (home === undefined || isAtHome(source.path, home)) return [];
    return [{ file: source.path, line: source.lineOf(at), message: `${name} is not at home here: ${home.instead}` }];
  });
}

function modulesAway(source: Source): Finding[] {
  return source.imports.flatMap(({ specifier, names, isType, at }) => {
    // A type brings no power with it.
    if (specifier === undefined || isType) return [];
    const target = targetOf(source.path, specifier);
    if (target.kind !== "node" && target.kind !== "package") return [];
    const line = source.lineOf(at);
    const away = homesOf(target.name, names).filter((home) => !isAtHome(source.path, home));
    return away
      .slice(0, 1)
      .map((home) => ({ file: source.path, line, message: `${target.name} is not at home here: ${home.instead}` }));
  });
}

function homesOf(module: string, names: readonly string[]): Home[] {
  if (module === "node:crypto") {
    const all = names.includes("*") || names.includes("default");
    return homes.filter((home) => home.crypto?.some((name) => all || names.includes(name)));
  }
  return homes.filter(
    ({ modules = [], harmless = [] }) =>
      modules.some((name) => matches(name, module)) && !names.every((name) => harmless.includes(name)),
  );
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

const nodeOnly = ["Buffer", "process", "global", "__dirname", "__filename", "require", "setImmediate"];

/** formats and imaging run in the browser: no module and no global of Node. */
function nodeInBrowser(source: Source): Finding[] {
  const floor = placeOf(source.path)?.floor ?? "";
  const isBrowser = browserFloors.includes(floor) || source.path.startsWith("apps/web/src/");
  if (!isBrowser || isTestCode(source.path)) return [];
  const imported = source.imports.flatMap(({ specifier, isType, at }) => {
    if (specifier === undefined || isType || targetOf(source.path, specifier).kind !== "node") return [];
    return [{ name: specifier, at }];
  });
  const used = globalsIn(source).filter(({ name }) => nodeOnly.includes(name.split(".")[0] ?? ""));
  return [...imported, ...used].map(({ name, at }) => ({
    file: source.path,
    line: source.lineOf(at),
    message: `${name} is Node's, and this runs in the browser: use Uint8Array and web standards, or take it as an argument`,
  }));
}

function overCode(check: (source: Source) => Finding[]): (tree: Tree) => Finding[] {
  return (tree) => tree.sources.filter((source) => placeOf(source.path) !== undefined).flatMap(check);
}

/** The environment is a home like the others, told as a rule of its own because DESIGN does. */
function isEnvironment({ message }: Finding): boolean {
  return /^(node:)?process\b/.test(message);
}

const allAway = overCode((source) => [...modulesAway(source), ...globalsAway(source)]);

export const homeRules: readonly Rule[] = [
  { id: "environment", what: "only apps read the environment", check: (tree) => allAway(tree).filter(isEnvironment) },
  {
    id: "homes",
    what: "files, time, randomness, sockets, databases, processes and the browser's disk are touched only in their home",
    check: (tree) => allAway(tree).filter((finding) => !isEnvironment(finding)),
  },
  {
    id: "browser",
    what: "formats, imaging and the browser application use nothing of Node",
    check: overCode(nodeInBrowser),
  },
];
