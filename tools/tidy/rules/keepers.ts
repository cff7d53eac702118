import { type Keeper, keepers } from "../keepers.ts";
import { isTestCode } from "../layout.ts";
import { type Node, walk } from "../syntax.ts";
import { type Finding, type Rule, type Source, type Tree, targetOf } from "../tree.ts";

/** Names of members that a file reads off something, or takes out of it by a pattern. */
function membersIn(source: Source): { name: string; at: number }[] {
  const found: { name: string; at: number }[] = [];
  walk(source.program, (node: Node) => {
    if (node.type === "MemberExpression" && !node.computed && node.property.type === "Identifier") {
      found.push({ name: node.property.name, at: node.property.start });
    }
    if (node.type === "ObjectPattern") {
      for (const property of node.properties) {
        if (property.type === "Property" && property.key.type === "Identifier") {
          found.push({ name: property.key.name, at: property.start });
        }
      }
    }
  });
  return found;
}

const mayUse = (keeper: Keeper, path: string) => keeper.by.some((start) => path.startsWith(start));

function keptFiles(source: Source): Finding[] {
  return source.imports.flatMap(({ specifier, at }) => {
    const target = specifier === undefined ? undefined : targetOf(source.path, specifier);
    if (target?.kind !== "file") return [];
    const keeper = keepers.find(({ file }) => file === target.path);
    if (keeper === undefined || mayUse(keeper, source.path)) return [];
    return [{ file: source.path, line: source.lineOf(at), message: `${target.path} is kept: ${keeper.reason}` }];
  });
}

function keptMembers(source: Source): Finding[] {
  return membersIn(source).flatMap(({ name, at }) => {
    const keeper = keepers.find(({ member }) => member === name);
    if (keeper === undefined || mayUse(keeper, source.path)) return [];
    return [{ file: source.path, line: source.lineOf(at), message: `${name} is kept: ${keeper.reason}` }];
  });
}

function kept(tree: Tree): Finding[] {
  const product = tree.sources.filter(({ path }) => !isTestCode(path));
  return product.flatMap((source) => [...keptFiles(source), ...keptMembers(source)]);
}

export const keeperRules: readonly Rule[] = [
  { id: "keepers", what: "identity is opened by reveal and the blind index alone", check: kept },
];
