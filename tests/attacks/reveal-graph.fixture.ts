import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import {
  type Expression,
  type Identifier,
  isArrowFunction,
  isBindingElement,
  isCallExpression,
  isFunctionDeclaration,
  isFunctionExpression,
  isIdentifier,
  isMethodDeclaration,
  isMethodSignatureDeclaration,
  isObjectBindingPattern,
  isObjectLiteralExpression,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isPropertySignatureDeclaration,
  isReturnStatement,
  isShorthandPropertyAssignment,
  isSpreadAssignment,
  isVariableDeclaration,
  type Node,
  type ObjectLiteralExpression,
} from "typescript/unstable/ast";
import { API, type Checker, SymbolFlags, type Type, type Symbol as TypeSymbol } from "typescript/unstable/sync";

/*
 * Who uses whom, by the compiler's own types. A node is a declaration: a named function, a member of an object or an interface, a
 * variable. An edge says that whoever runs the first may run the second: every mention counts as a call, a function without a name
 * runs where it stands, a member of an interface leads to whatever was given for it, by a literal, a spread or an argument.
 */
export interface Graph {
  /** What a node is called: `trust/vault/reveal.ts createReveal.reveal`. */
  nameOf(node: string): string;
  /** Those whose name passes. */
  nodes(passes: (name: string) => boolean): string[];
  /** Whoever mentions it, itself not counted. */
  usersOf(node: string): string[];
  /** From some nodes on, not through those that are shut; the way to each that is reached. */
  reached(from: readonly string[], shut: ReadonlySet<string>): ReadonlyMap<string, string | undefined>;
}

const keyOf = (symbol: TypeSymbol | undefined): string | undefined => {
  const [declaration] = symbol?.declarations ?? [];
  return declaration && `${declaration.path}:${declaration.kind}:${declaration.index}`;
};

/** Where anything of the vault can be: below these nothing imports it, and the browser application cannot. */
export const floors = ["trust", "radiology", "stores", "doors", "apps/server", "apps/cli"];

const testCode = /\.(test|contract|fixture)\.ts$/;

export interface Reading {
  readonly floors?: readonly string[];
  /** Gives files other contents than they have. */
  readonly changed?: Readonly<Record<string, (text: string) => string>>;
}

/** The graph of the product under `root`. */
export function readGraph(root: string, { floors: read = floors, changed = {} }: Reading = {}): Graph {
  const readFile = (path: string) => changed[relative(root, path)]?.(readFileSync(path, "utf8"));
  const api = new API({ cwd: root, fs: { readFile } });
  try {
    const [project] = api.updateSnapshot({ openProjects: [join(root, "tsconfig.json")] }).getProjects();
    if (project === undefined) throw new Error("the project cannot be read");
    const files = project.program.getSourceFileNames().filter((path) => {
      const file = relative(root, path);
      return read.some((floor) => file.startsWith(`${floor}/`)) && !testCode.test(file);
    });
    const building = createBuilding(project.checker);
    for (const path of files) {
      const source = project.program.getSourceFile(path);
      if (source !== undefined) building.read(source, relative(root, path));
    }
    return building.graph();
  } finally {
    api.close();
  }
}

interface Place {
  /** Who runs what stands here. */
  readonly owners: readonly string[];
  readonly label: string;
}

function createBuilding(checker: Checker) {
  const names = new Map<string, string>();
  const edges = new Map<string, Set<string>>();
  const link = (from: string | undefined, to: string | undefined) => {
    if (from === undefined || to === undefined || from === to) return;
    const found = edges.get(from) ?? new Set<string>();
    edges.set(from, found.add(to));
  };
  const meant = (symbol: TypeSymbol | undefined): TypeSymbol | undefined =>
    symbol !== undefined && (symbol.flags & SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol;
  const symbols = new Map<Node, TypeSymbol | undefined>();
  /** All of a file with one question to the compiler. */
  const readSymbols = (source: Node) => {
    const found: Node[] = [];
    const gather = (node: Node): undefined => {
      if (isIdentifier(node)) found.push(node);
      node.forEachChild(gather);
    };
    gather(source);
    for (const [at, symbol] of checker.getSymbolAtLocation(found).entries()) symbols.set(found[at] as Node, symbol);
  };
  const nodeAt = (node: Node): string | undefined =>
    keyOf(meant(symbols.has(node) ? symbols.get(node) : checker.getSymbolAtLocation(node)));
  const properties = new Map<number, ReadonlyMap<string, string | undefined>>();
  const propertiesOf = (type: Type): ReadonlyMap<string, string | undefined> => {
    const known = properties.get(type.id);
    if (known !== undefined) return known;
    const read = new Map(checker.getPropertiesOfType(type).map((symbol) => [symbol.name, keyOf(symbol)] as const));
    properties.set(type.id, read);
    return read;
  };
  const propertyOf = (type: Type | undefined, name: string) => type && propertiesOf(type).get(name);

  /** What is known by another type leads on to what it is. */
  const knownAs = new Set<string>();
  const given = (as: Type | undefined, is: Type | undefined, except: ReadonlySet<string> = new Set()) => {
    if (as === undefined || is === undefined || as.id === is.id) return;
    const pair = `${as.id} ${is.id} ${[...except]}`;
    if (knownAs.has(pair)) return;
    knownAs.add(pair);
    for (const [name, known] of propertiesOf(as)) if (!except.has(name)) link(known, propertyOf(is, name));
  };
  const declare = (name: Node, label: string): string | undefined => {
    const node = nodeAt(name);
    if (node !== undefined) names.set(node, label);
    return node;
  };

  const read = (node: Node, at: Place): void => {
    if (isIdentifier(node)) mention(node, at);
    else if (isObjectLiteralExpression(node)) literal(node, at);
    else if (isFunctionDeclaration(node) && node.name !== undefined) inside(node, node.name, at, false);
    else if (isVariableDeclaration(node)) variable(node, at);
    else if (isPropertySignatureDeclaration(node) || isMethodSignatureDeclaration(node)) {
      declare(node.name, `${at.label}.${textOf(node.name)}`);
    } else others(node, at);
  };
  const others = (node: Node, at: Place): void => {
    if (isCallExpression(node)) for (const argument of node.arguments) handedOn(argument);
    if (isReturnStatement(node) && node.expression !== undefined) handedOn(node.expression);
    if (isArrowFunction(node)) handedOn(node.body as Expression);
    // Names of types lead nowhere, but their members have names.
    const name = (node as { readonly name?: Node }).name;
    const isNamed = name !== undefined && isIdentifier(name) && !isPropertyAccessExpression(node);
    const label = isNamed && at.owners.length === 0 ? `${at.label} ${textOf(name)}` : at.label;
    children(node, { owners: at.owners, label }, isNamed ? name : undefined);
  };
  const children = (node: Node, at: Place, except?: Node) => {
    node.forEachChild((child) => {
      if (child !== except) read(child, at);
      return undefined;
    });
  };
  const inside = (node: Node, name: Node, at: Place, alsoOwners: boolean): void => {
    const label = `${at.label}${at.owners.length === 0 ? " " : "."}${textOf(name)}`;
    const own = declare(name, label);
    const owners = [...(own === undefined ? [] : [own]), ...(alsoOwners ? at.owners : [])];
    children(node, { owners, label }, name);
  };
  const mention = (node: Identifier, { owners }: Place) => {
    const to = nodeAt(node);
    for (const owner of owners) link(owner, to);
  };
  const handedOn = (expression: Expression) => {
    if (!isIdentifier(expression) && !isPropertyAccessExpression(expression) && !isCallExpression(expression)) return;
    given(checker.getContextualType(expression), checker.getTypeAtLocation(expression));
  };

  const variable = (node: Node & { readonly name: Node; readonly initializer?: Expression }, at: Place): void => {
    const { name, initializer } = node;
    if (isObjectBindingPattern(name)) {
      const type = initializer && checker.getTypeAtLocation(initializer);
      for (const element of name.elements) {
        if (!isBindingElement(element) || element.name === undefined) continue;
        const property = textOf(element.propertyName ?? element.name);
        link(declare(element.name, `${at.label}.${property}`), propertyOf(type, property));
        for (const owner of at.owners) if (element.dotDotDotToken !== undefined) link(owner, nodeAt(element.name));
      }
      if (initializer !== undefined) read(initializer, at);
      return;
    }
    if (initializer !== undefined) handedOn(initializer);
    inside(node, name, at, initializer !== undefined && !isFunction(initializer));
  };

  const literal = (node: ObjectLiteralExpression, at: Place): void => {
    const type = checker.getContextualType(node);
    const own = new Set<string>();
    for (const member of node.properties) {
      if (isSpreadAssignment(member)) {
        given(type, checker.getTypeAtLocation(member.expression), own);
        read(member.expression, at);
        continue;
      }
      const { name } = member;
      if (name === undefined) continue;
      const property = textOf(name);
      own.add(property);
      const label = `${at.label}${at.owners.length === 0 ? " " : "."}${property}`;
      const self = isShorthandPropertyAssignment(member)
        ? keyOf(meant(checker.getShorthandAssignmentValueSymbol(member)))
        : declare(name, label);
      link(propertyOf(type, property), self);
      if (isShorthandPropertyAssignment(member)) {
        link(propertyOf(checker.getTypeAtLocation(node), property), self);
        continue;
      }
      const owners = self === undefined ? [] : [self];
      if (isMethodDeclaration(member)) children(member, { owners, label }, name);
      else if (isPropertyAssignment(member)) {
        const { initializer } = member;
        handedOn(initializer);
        const runsHere =
          !isFunction(initializer) && !isIdentifier(initializer) && !isPropertyAccessExpression(initializer);
        read(initializer, { owners: runsHere ? [...owners, ...at.owners] : owners, label });
      } else children(member, { owners, label }, name);
    }
  };

  return {
    read(source: Node, file: string) {
      readSymbols(source);
      read(source, { owners: [], label: file });
      symbols.clear();
    },
    graph: (): Graph => graphOf(names, edges),
  };
}

const isFunction = (node: Node): boolean => isArrowFunction(node) || isFunctionExpression(node);

function textOf(name: Node): string {
  return (name as { readonly text?: string }).text ?? "";
}

function graphOf(names: ReadonlyMap<string, string>, edges: ReadonlyMap<string, ReadonlySet<string>>): Graph {
  const nameOf = (node: string) => names.get(node) ?? node;
  return {
    nameOf,
    nodes: (passes) => [...new Set([...names.keys(), ...edges.keys()])].filter((node) => passes(nameOf(node))),
    usersOf: (node) => [...edges].filter(([, to]) => to.has(node)).map(([from]) => nameOf(from)),
    reached(from, shut) {
      const ways = new Map<string, string | undefined>(
        from.filter((node) => !shut.has(node)).map((node) => [node, undefined]),
      );
      for (const node of ways.keys()) {
        for (const next of edges.get(node) ?? []) if (!shut.has(next) && !ways.has(next)) ways.set(next, node);
      }
      return ways;
    },
  };
}
