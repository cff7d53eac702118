import { isGenerated, placeOf } from "../layout.ts";
import type { Node } from "../syntax.ts";
import type { Finding, Rule, Source, Tree } from "../tree.ts";

const banned = ["util", "helper", "common", "manager", "processor", "impl"];

/** `common` is a word of certificates (common name); as a name for what is shared it stands on a file. */
const bannedInCode = banned.filter((word) => word !== "common");

const way = "name it after what it knows or does";

function pathNames(tree: Tree): Finding[] {
  return tree.files.flatMap((file) => {
    if (placeOf(file) === undefined) return [];
    const word = file.split("/").flatMap((part) => bannedIn(part, banned))[0];
    return word === undefined ? [] : [{ file, line: 1, message: `the path says "${word}": ${way}` }];
  });
}

/** Functions, types and constants that a file declares at its top. */
function topNames(source: Source): Finding[] {
  if (isGenerated(source.path) || placeOf(source.path) === undefined || source.program.type !== "Program") return [];
  return source.program.body.flatMap((statement) =>
    declared(statement).flatMap(({ name, at }) => {
      const word = bannedIn(name, bannedInCode)[0];
      const message = `${name} says "${word}": ${way}`;
      return word === undefined ? [] : [{ file: source.path, line: source.lineOf(at), message }];
    }),
  );
}

function declared(statement: Node): { name: string; at: number }[] {
  if (statement.type === "ExportNamedDeclaration" || statement.type === "ExportDefaultDeclaration") {
    return "declaration" in statement && statement.declaration ? declared(statement.declaration) : [];
  }
  if (statement.type === "VariableDeclaration") {
    return statement.declarations.flatMap(({ id }) =>
      id.type === "Identifier" ? [{ name: id.name, at: id.start }] : [],
    );
  }
  const named = ["FunctionDeclaration", "ClassDeclaration", "TSInterfaceDeclaration", "TSTypeAliasDeclaration"];
  if (!named.includes(statement.type) || !("id" in statement) || statement.id?.type !== "Identifier") return [];
  return [{ name: statement.id.name, at: statement.id.start }];
}

function bannedIn(name: string, words: readonly string[]): string[] {
  const parts = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return parts.filter((part) => words.includes(part) || words.includes(part.replace(/s$/, "")));
}

export const nameRules: readonly Rule[] = [
  {
    id: "names",
    what: `nothing is named ${banned.join(", ")}`,
    check: (tree) => [...pathNames(tree), ...tree.sources.flatMap(topNames)],
  },
];
