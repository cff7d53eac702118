import { isGenerated } from "../layout.ts";
import { type Node, walk } from "../syntax.ts";
import type { Finding, Rule, Source, Tree } from "../tree.ts";

const functionLinesMax = 70;
const fileLinesMax = 500;

function longFunctions(source: Source): Finding[] {
  const found: Finding[] = [];
  walk(source.program, (node, parents) => {
    if (!isFunction(node)) return;
    const line = source.lineOf(node.start);
    const count = source.lineOf(node.end - 1) - line + 1;
    if (count <= functionLinesMax) return;
    const name = nameOf(node, parents.at(-1));
    const message = `${name} has ${count} lines, at most ${functionLinesMax}: give its parts names of their own`;
    found.push({ file: source.path, line, message });
  });
  return found;
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
    what: `functions have up to ${functionLinesMax} lines`,
    check: (tree) => written(tree).flatMap(longFunctions),
  },
  {
    id: "file-length",
    what: `files have up to ${fileLinesMax} lines`,
    check: (tree) => written(tree).flatMap(longFile),
  },
];
