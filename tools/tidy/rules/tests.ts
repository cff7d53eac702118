import { dottedName, literalText, type Node, walk } from "../syntax.ts";
import type { Finding, Rule, Source } from "../tree.ts";

const testers = ["test", "it", "suite", "describe"];

/** A test runs, or says why not: no `only`, no `todo`, no skip without its reason. */
function faults(source: Source): Finding[] {
  if (!/\.test\.tsx?$/.test(source.path)) return [];
  const found: Finding[] = [];
  walk(source.program, (node) => {
    if (node.type !== "CallExpression") return;
    const message = faultOf(node);
    if (message !== undefined) found.push({ file: source.path, line: source.lineOf(node.start), message });
  });
  return found;
}

function faultOf(call: Extract<Node, { type: "CallExpression" }>): string | undefined {
  const [object = "", member = ""] = (dottedName(call.callee) ?? "").split(".");
  const isTester = testers.includes(object);
  if (isTester && ["only", "todo"].includes(member))
    return `${object}.${member}: a committed test runs with the others`;
  if (isTester && member === "skip") return `${object}.skip never runs: say t.skip("needs …") where it cannot`;
  if (member === "skip" && call.callee.type === "MemberExpression" && call.arguments.length === 0 && object === "t") {
    return 'a skip without its reason: say t.skip("needs dcmtk: apt install dcmtk")';
  }
  if (!isTester && member !== "test") return undefined;
  const options = call.arguments.find((argument) => argument.type === "ObjectExpression");
  if (options?.type !== "ObjectExpression") return undefined;
  const bare = options.properties.flatMap((property) => {
    if (property.type !== "Property" || property.value.type !== "Literal" || property.value.value !== true) return [];
    const key = property.key.type === "Identifier" ? property.key.name : (literalText(property.key) ?? "");
    return ["only", "skip", "todo"].includes(key) ? [key] : [];
  })[0];
  return bare === undefined ? undefined : `{ ${bare}: true }: a test runs, or gives its reason as a sentence`;
}

export const testRules: readonly Rule[] = [
  { id: "tests", what: "every test runs, or says what it needs", check: (tree) => tree.sources.flatMap(faults) },
];
