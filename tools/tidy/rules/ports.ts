import { isTestCode, placeOf } from "../layout.ts";
import { type Node, walk } from "../syntax.ts";
import { type Finding, type Rule, type Source, type Tree, targetOf } from "../tree.ts";

/** Floors that state ports; base/io states its own and stands on the ground. */
const stating = ["trust", "radiology"];

/** An interface with methods that a store implements, and where it is declared. */
interface Port {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** The stores' folders that implement it. */
  readonly stores: Set<string>;
}

/**
 * A port is recognised by its use: a function in `stores` returns it, a constant there is annotated with it or `satisfies`
 * it, and it is an interface with a method on a lower floor.
 */
function portsOf(tree: Tree): Port[] {
  const ports = new Map<string, Port>();
  for (const source of tree.sources) {
    const place = placeOf(source.path);
    if (place?.floor !== "stores" || isTestCode(source.path)) continue;
    const made = implementedNames(source.program);
    for (const each of source.imports) {
      for (const name of each.names) {
        if (!made.has(name) || each.specifier === undefined) continue;
        const target = targetOf(source.path, each.specifier);
        if (target.kind !== "file" || !stating.includes(placeOf(target.path)?.floor ?? "")) continue;
        const declared = declarationOf(tree, target.path, name);
        if (declared === undefined) continue;
        const key = `${declared.file} ${name}`;
        const port = ports.get(key) ?? { ...declared, name, stores: new Set<string>() };
        ports.set(key, port);
        port.stores.add(place.folder);
      }
    }
  }
  return [...ports.values()];
}

/** Types that a file returns, annotates a constant with or satisfies; inside a promise too. */
function implementedNames(program: Node): Set<string> {
  const names = new Set<string>();
  const add = (type: Node | null | undefined) => {
    if (type)
      walk(
        type,
        (node) =>
          node.type === "TSTypeReference" && node.typeName.type === "Identifier" && names.add(node.typeName.name),
      );
  };
  walk(program, (node) => {
    if ("returnType" in node && node.type !== "TSFunctionType") add(node.returnType as Node | null);
    if (node.type === "TSSatisfiesExpression") add(node.typeAnnotation);
    if (node.type === "VariableDeclarator" && node.id.type === "Identifier" && node.init?.type === "ObjectExpression") {
      add(node.id.typeAnnotation);
    }
    if (node.type === "ClassDeclaration")
      for (const each of node.implements ?? [])
        if (each.expression.type === "Identifier") names.add(each.expression.name);
  });
  return names;
}

/** Follows `export … from` out of an index.ts to the interface itself. */
function declarationOf(tree: Tree, path: string, name: string): { file: string; line: number } | undefined {
  const source = tree.source(path);
  if (source?.program.type !== "Program") return undefined;
  for (const statement of source.program.body) {
    const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : undefined;
    if (declaration?.type !== "TSInterfaceDeclaration" || declaration.id.name !== name) continue;
    if (!declaration.body.body.some(isMethod)) return undefined;
    return { file: path, line: source.lineOf(declaration.start) };
  }
  const from = source.imports.find((each) => each.names.includes(name) && each.specifier?.startsWith("./"));
  const target = from?.specifier === undefined ? undefined : targetOf(path, from.specifier);
  return target?.kind === "file" && target.path !== path ? declarationOf(tree, target.path, name) : undefined;
}

function isMethod(member: Node): boolean {
  if (member.type === "TSMethodSignature") return true;
  return member.type === "TSPropertySignature" && member.typeAnnotation?.typeAnnotation.type === "TSFunctionType";
}

/** Test files that import a contract, or one that it is a part of: what runs it. */
function runnersOf(tree: Tree, contract: string): string[] {
  const imports = (source: Source) =>
    source.imports.some(({ specifier }) => {
      const target = specifier === undefined ? undefined : targetOf(source.path, specifier);
      return target?.kind === "file" && target.path === contract;
    });
  return tree.sources.filter(imports).flatMap(({ path }) => {
    if (path.endsWith(".contract.ts")) return runnersOf(tree, path);
    return path.endsWith(".test.ts") ? [path] : [];
  });
}

function contractFaults(tree: Tree): Finding[] {
  return tree.sources.flatMap(({ path }) => {
    if (!path.endsWith(".contract.ts")) return [];
    const runners = runnersOf(tree, path);
    const folders = new Set(runners.map((runner) => runner.split("/").slice(0, 2).join("/")));
    const message = `run by ${runners.join(", ") || "no test"}: every implementation runs it, stores/memory and one more at least`;
    return folders.size >= 2 && folders.has("stores/memory") ? [] : [{ file: path, line: 1, message }];
  });
}

function portFaults(tree: Tree): Finding[] {
  return portsOf(tree).flatMap(({ name, file, line, stores }) => {
    const contract = contractBeside(tree, file, name);
    if (contract === undefined) {
      const message = `the port ${name} (stores/${[...stores].join(", stores/")}) has no contract: write ${file.replace(/\.ts$/, ".contract.ts")} and run it in each store's test`;
      return [{ file, line, message }];
    }
    const folders = runnersOf(tree, contract).map((runner) => runner.split("/").slice(0, 2).join("/"));
    const missing = [...stores].filter((store) => !folders.includes(`stores/${store}`));
    return missing.map((store) => ({
      file,
      line,
      message: `stores/${store} implements ${name} and no test of it runs ${contract}`,
    }));
  });
}

/** `x.contract.ts` beside `x.ts`, or one in the same folder that imports the port. */
function contractBeside(tree: Tree, file: string, name: string): string | undefined {
  const beside = file.replace(/\.ts$/, ".contract.ts");
  if (tree.source(beside) !== undefined) return beside;
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  return tree.sources.find(
    ({ path, imports }) =>
      path.startsWith(folder) && path.endsWith(".contract.ts") && imports.some((each) => each.names.includes(name)),
  )?.path;
}

export const portRules: readonly Rule[] = [
  {
    id: "ports",
    what: "every port has a contract test that stores/memory and each other implementation run",
    check: (tree) => [...contractFaults(tree), ...portFaults(tree)],
  },
];
