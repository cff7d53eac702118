import type { ESTree } from "rolldown/utils";

export type Node = ESTree.Node;

/** Visits `root` and every node below it, parents first. Iterative: a deep expression costs no stack. */
export function walk(root: Node, visit: (node: Node, parents: readonly Node[]) => void): void {
  const parents: Node[] = [];
  const work: (Node | "up")[] = [root];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    if (next === "up") {
      parents.pop();
      continue;
    }
    visit(next, parents);
    parents.push(next);
    work.push("up");
    pushChildren(next, work);
  }
}

function pushChildren(node: Node, work: (Node | "up")[]): void {
  const values = Object.values(node);
  for (let i = values.length - 1; i >= 0; i--) {
    const value: unknown = values[i];
    if (isNode(value)) work.push(value);
    else if (Array.isArray(value)) {
      for (let j = value.length - 1; j >= 0; j--) if (isNode(value[j])) work.push(value[j]);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** The text of a string literal, or of a template without parts. */
export function literalText(node: Node | null | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type === "TemplateLiteral" && node.expressions.length === 0)
    return node.quasis[0]?.value.cooked ?? undefined;
  return undefined;
}

/** `a.b.c` of a plain member expression (`a["b"].c` too), else undefined. */
export function dottedName(node: Node): string | undefined {
  if (node.type === "Identifier") return node.name;
  if (node.type === "MetaProperty") return `${node.meta.name}.${node.property.name}`;
  if (node.type !== "MemberExpression") return undefined;
  const object = dottedName(node.object);
  const property = node.computed ? literalText(node.property) : nameOf(node.property);
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

function nameOf(node: Node): string | undefined {
  return node.type === "Identifier" ? node.name : undefined;
}

/** Whether an identifier is a use of a name in scope, not a key, a member's name or a part of a type. */
export function isReference(node: Node, parents: readonly Node[]): boolean {
  const parent = parents.at(-1);
  if (node.type !== "Identifier" || parent === undefined) return false;
  switch (parent.type) {
    case "MemberExpression":
      return parent.object === node || parent.computed;
    case "Property":
      return parent.value === node || parent.computed;
    case "PropertyDefinition":
    case "MethodDefinition":
      return parent.value === node || parent.computed;
    case "TSQualifiedName":
    case "TSTypeReference":
    case "TSTypeQuery":
    case "TSPropertySignature":
    case "TSMethodSignature":
    case "TSTypeParameter":
    case "ImportSpecifier":
    case "LabeledStatement":
    case "MetaProperty":
      return false;
    default:
      return true;
  }
}

/** Names that a file declares itself anywhere, parameters and imports included. */
export function declaredNames(root: Node): Set<string> {
  const names = new Set<string>();
  walk(root, (node) => {
    if (node.type === "VariableDeclarator") addPattern(node.id, names);
    else if (node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") addPattern(node.id, names);
    else if (node.type.startsWith("Import") && "local" in node) addPattern(node.local as Node, names);
    if ("params" in node && Array.isArray(node.params))
      for (const param of node.params) addPattern(param as Node, names);
    if (node.type === "CatchClause") addPattern(node.param, names);
  });
  return names;
}

function addPattern(pattern: Node | null | undefined, names: Set<string>): void {
  switch (pattern?.type) {
    case "Identifier":
      names.add(pattern.name);
      break;
    case "ObjectPattern":
      for (const property of pattern.properties) addPattern(property, names);
      break;
    case "Property":
      addPattern(pattern.value, names);
      break;
    case "ArrayPattern":
      for (const element of pattern.elements) addPattern(element, names);
      break;
    case "AssignmentPattern":
      addPattern(pattern.left, names);
      break;
    case "RestElement":
      addPattern(pattern.argument, names);
      break;
  }
}
