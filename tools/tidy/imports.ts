import { literalText, type Node, walk } from "./syntax.ts";

/** One way in which a file names another: an import of any kind, value or type, or a worker's address. */
export interface Import {
  /** As written, without `?worker` and the like. Undefined when it is computed and cannot be followed. */
  readonly specifier: string | undefined;
  /** Names taken, as the other file exports them; `*` for all of it. */
  readonly names: readonly string[];
  readonly isType: boolean;
  readonly at: number;
}

/** Every import in a file: `import`, `export from`, `import()`, `import("x").T`, `require`, `new URL("x", import.meta.url)`. */
export function importsIn(program: Node): Import[] {
  const found: Import[] = [];
  const add = (node: Node, source: Node | null | undefined, names: readonly string[], isType: boolean) => {
    const specifier = literalText(source)?.replace(/\?.*$/, "");
    found.push({ specifier, names, isType, at: node.start });
  };
  walk(program, (node) => {
    switch (node.type) {
      case "ImportDeclaration":
        add(node, node.source, importedNames(node.specifiers), node.importKind === "type");
        break;
      case "ExportAllDeclaration":
        add(node, node.source, ["*"], node.exportKind === "type");
        break;
      case "ExportNamedDeclaration":
        if (node.source) add(node, node.source, exportedNames(node.specifiers), node.exportKind === "type");
        break;
      case "ImportExpression":
        add(node, node.source, ["*"], false);
        break;
      case "TSImportType":
        add(node, node.source, ["*"], true);
        break;
      case "TSExternalModuleReference":
        add(node, node.expression, ["*"], false);
        break;
      case "CallExpression":
        if (isRequire(node.callee)) add(node, node.arguments[0], ["*"], false);
        break;
      case "NewExpression":
        if (isOwnAddress(node)) add(node, node.arguments[0], ["*"], false);
        break;
    }
  });
  return found;
}

function importedNames(specifiers: readonly Node[]): string[] {
  return specifiers.map((each) => {
    if (each.type !== "ImportSpecifier") return each.type === "ImportDefaultSpecifier" ? "default" : "*";
    return each.imported.type === "Identifier" ? each.imported.name : (literalText(each.imported) ?? "*");
  });
}

function exportedNames(specifiers: readonly Node[]): string[] {
  return specifiers.map((each) => (each.type === "ExportSpecifier" && "name" in each.local ? each.local.name : "*"));
}

function isRequire(callee: Node): boolean {
  if (callee.type === "Identifier") return callee.name === "require";
  return callee.type === "MemberExpression" && callee.object.type === "MetaProperty" && memberIs(callee, "resolve");
}

function memberIs(node: Node, name: string): boolean {
  return node.type === "MemberExpression" && node.property.type === "Identifier" && node.property.name === name;
}

/** `new URL("./worker.ts", import.meta.url)`; only where it names code, since data files are no imports. */
function isOwnAddress(node: Node): boolean {
  if (node.type !== "NewExpression" || node.callee.type !== "Identifier" || node.callee.name !== "URL") return false;
  const [address, base] = node.arguments;
  if (base?.type !== "MemberExpression" || base.object.type !== "MetaProperty") return false;
  return /\.(ts|tsx|mjs|js)$/.test(literalText(address) ?? "");
}
