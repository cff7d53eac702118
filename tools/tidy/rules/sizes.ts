import { isGenerated } from "../layout.ts";
import { type Node, walk } from "../syntax.ts";
import type { Finding, Rule, Source, Tree } from "../tree.ts";

const functionLinesMax = 70;
const fileLinesMax = 500;

/**
 * A function's own lines: those of the functions inside it are counted for themselves (docs/decisions/0001). What is made by
 * `create…` is a closure over its parts in the place of a class, and would else be measured as one function.
 */
function longFunctions(source: Source): Finding[] {
  const found: Finding[] = [];
  const linesOf = (node: Node) => source.lineOf(node.end - 1) - source.lineOf(node.start) + 1;
  const functions: { node: Node; parent: Node | undefined }[] = [];
  walk(source.program, (node, parents) => {
    if (isFunction(node)) functions.push({ node, parent: parents.at(-1) });
  });
  const judge = ({ node, inner, parent }: { node: Node; inner: number; parent: Node | undefined }) => {
    const count = linesOf(node) - inner;
    if (count <= functionLinesMax) return;
    const message = `${nameOf(node, parent)} has ${count} lines, at most ${functionLinesMax}: give its parts names of their own`;
    found.push({ file: source.path, line: source.lineOf(node.start), message });
  };
  for (const { node, parent } of functions) {
    const within = functions.filter((other) => other.node !== node && contains(node, other.node));
    const outermost = within.filter(
      (other) => !within.some((between) => between.node !== other.node && contains(between.node, other.node)),
    );
    const inner = outermost.reduce((sum, other) => sum + linesOf(other.node) - 1, 0);
    judge({ node, inner, parent });
  }
  return found;
}

function contains(outer: Node, inner: Node): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

function isFunction(node: Node): boolean {
  return ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"].includes(node.type);
}

function nameOf(node: Node, parent: Node | undefined): string {
  if ("id" in node && node.id?.type === "Identifier") return node.id.name;
  if (parent?.type === "VariableDeclarator" && parent.id.type === "Identifier") return parent.id.name;
  if (parent !== undefined && "key" in parent && parent.key?.type === "Identifier") return parent.key.name;
  return "a function";
}

function longFile({ path, text }: Source): Finding[] {
  const count = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (count <= fileLinesMax) return [];
  const message = `${count} lines, at most ${fileLinesMax}: split it by what it knows, or generate it as *.generated.ts`;
  return [{ file: path, line: fileLinesMax + 1, message }];
}

function written(tree: Tree): Source[] {
  return tree.sources.filter((source) => !isGenerated(source.path));
}

export const sizeRules: readonly Rule[] = [
  {
    id: "function-length",
    what: `functions have up to ${functionLinesMax} lines of their own`,
    check: (tree) => written(tree).flatMap(longFunctions),
  },
  {
    id: "file-length",
    what: `files have up to ${fileLinesMax} lines`,
    check: (tree) => written(tree).flatMap(longFile),
  },
];
