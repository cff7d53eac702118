import { isGenerated, isTestCode, placeOf, productFloors } from "../layout.ts";
import { declaredNames, isReference, type Node, walk } from "../syntax.ts";
import type { Finding, Rule, Source, Tree } from "../tree.ts";

function anyAndConsole(source: Source): Finding[] {
  const found: Finding[] = [];
  const add = (node: Node, message: string) =>
    found.push({ file: source.path, line: source.lineOf(node.start), message });
  const own = declaredNames(source.program);
  walk(source.program, (node, parents) => {
    if (node.type === "TSAnyKeyword") add(node, "any: say what it is, or unknown and look");
    if (node.type === "Identifier" && node.name === "console" && isReference(node, parents) && !own.has("console")) {
      add(node, "console: use Log (#base/log), or process.stdout in apps and tools");
    }
  });
  return found;
}

const unfinished = /\b(TODO|FIXME|XXX|HACK)\b/;
const silenced = /@ts-(ignore|nocheck)\b|biome-ignore\S*\s+lint\/suspicious\/(noExplicitAny|noConsole)\b/;

function comments(source: Source): Finding[] {
  return source.comments.flatMap(({ value, start }) => {
    const file = source.path;
    const line = source.lineOf(start);
    const left = unfinished.exec(value)?.[1];
    if (left !== undefined)
      return [{ file, line, message: `${left}: finish it, or file an issue and say what holds today` }];
    const quiet = silenced.exec(value)?.[0];
    if (quiet !== undefined) return [{ file, line, message: `${quiet} silences a check: mend what it found` }];
    return [];
  });
}

/** Below the apps, and in the doors and stores, everything that changes belongs to what a function made. */
function isPart(path: string): boolean {
  const floor = placeOf(path)?.floor;
  return floor !== undefined && floor !== "apps" && productFloors.includes(floor) && !isTestCode(path);
}

const emptyKept = ["Map", "Set", "WeakMap", "WeakSet"];

function moduleState(source: Source): Finding[] {
  if (!isPart(source.path) || source.program.type !== "Program") return [];
  return source.program.body.flatMap((statement) => {
    const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declaration?.type !== "VariableDeclaration" || declaration.declare) return [];
    return declaration.declarations.flatMap((each) => {
      if (declaration.kind === "const" && !isEmptyCollection(each.init)) return [];
      const name = each.id.type === "Identifier" ? each.id.name : "a variable";
      const message = `${name} is state of the module: keep it in what a create… function returns`;
      return [{ file: source.path, line: source.lineOf(each.start), message }];
    });
  });
}

/** A collection that is made empty is there to be filled; one made of entries may be a table. */
function isEmptyCollection(init: Node | null): boolean {
  if (init?.type !== "NewExpression" || init.arguments.length > 0) return false;
  return init.callee.type === "Identifier" && emptyKept.includes(init.callee.name);
}

function classes(source: Source): Finding[] {
  if (!isPart(source.path)) return [];
  const found: Finding[] = [];
  walk(source.program, (node) => {
    // What extends (Error, Transform) is asked for by the one it extends.
    if ((node.type !== "ClassDeclaration" && node.type !== "ClassExpression") || node.superClass) return;
    const name = node.id?.name ?? "a class";
    const message = `${name}: a create… function that returns an object hides its state better and needs no this`;
    found.push({ file: source.path, line: source.lineOf(node.start), message });
  });
  return found;
}

function unreadable(tree: Tree): Finding[] {
  return tree.sources.flatMap(({ path, fault }) =>
    fault === undefined ? [] : [{ file: path, line: 1, message: `cannot be parsed: ${fault}` }],
  );
}

function written(tree: Tree): Source[] {
  return tree.sources.filter((source) => !isGenerated(source.path));
}

export const wordRules: readonly Rule[] = [
  { id: "syntax", what: "every file can be parsed", check: unreadable },
  { id: "words", what: "no any, no console", check: (tree) => written(tree).flatMap(anyAndConsole) },
  {
    id: "comments",
    what: "nothing is left to do and no check is silenced",
    check: (tree) => written(tree).flatMap(comments),
  },
  { id: "module-state", what: "modules hold no state", check: (tree) => tree.sources.flatMap(moduleState) },
  { id: "closures", what: "no classes where a closure does", check: (tree) => tree.sources.flatMap(classes) },
];
