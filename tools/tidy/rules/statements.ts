import { isTestCode } from "../layout.ts";
import { dottedName, type Node, walk } from "../syntax.ts";
import type { Finding, Rule, Source } from "../tree.ts";

/** Files that put statements together from names of tables and columns. None of them is given a value of a caller's; all others bind. */
const writers: Readonly<Record<string, string>> = {
  "stores/sql/schema.ts": "the words of each database",
  "stores/sql/access-schema.ts": "tables, made when a home is new or older",
  "stores/sql/index-schema.ts": "the same, of the blind index",
  "stores/sql/index-statements.ts": "one statement for each kind of question, with a parameter for each value",
  "stores/sql/index-on-postgres.ts": "a lock by its number",
  "stores/sql/log-index.ts": "filters of the log, with a parameter for each value",
  "stores/sql/spool-index.ts": "numbers of states, and the columns of a parcel, written once",
  "stores/sql/sqlite-worker.ts": "settings of the database, which take no parameters",
};

const statement =
  /^\s*(select|insert|update|delete|replace|merge|create|alter|drop|truncate|with|pragma|attach|copy)\s/i;
/** Kysely's ways past binding. */
const past = new Set(["sql.raw", "sql.lit", "sql.literal"]);

/** Text that begins as a statement does, at the start of a template or of a sum. */
function startOf(node: Node): string {
  if (node.type === "TemplateLiteral") return node.quasis[0]?.value.cooked ?? "";
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  return node.type === "BinaryExpression" ? startOf(node.left as Node) : "";
}

function composed(source: Source): Finding[] {
  if (isTestCode(source.path) || !source.path.startsWith("stores/")) return [];
  const found: Finding[] = [];
  const add = (node: Node, message: string) =>
    found.push({ file: source.path, line: source.lineOf(node.start), message });
  walk(source.program, (node, parents) => {
    const parent = parents.at(-1);
    if (node.type === "MemberExpression" && past.has(dottedName(node) ?? ""))
      add(node, `${dottedName(node)} puts a value into the text: bind it, sql.ref and sql.table for names`);
    const isTagged = parent?.type === "TaggedTemplateExpression";
    const isTemplate = node.type === "TemplateLiteral" && node.expressions.length > 0 && !isTagged;
    const isSum = node.type === "BinaryExpression" && node.operator === "+" && parent?.type !== "BinaryExpression";
    if ((isTemplate || isSum) && writers[source.path] === undefined && statement.test(startOf(node)))
      add(
        node,
        "a statement put together as text: bind the values, or write it where statements are (tools/tidy/rules/statements.ts)",
      );
  });
  return found;
}

export const statementRules: readonly Rule[] = [
  {
    id: "statements",
    what: "values reach a database as parameters, never as text of a statement",
    check: (tree) => tree.sources.flatMap(composed),
  },
];
