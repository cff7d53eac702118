import { tables } from "./tables.ts";

/** A table stands between two lines like these; what is between them is made, all else is written by hand. */
const marked = /(<!-- table ([a-z-]+) -->\n).*?(<!-- end -->)/gs;

/** The conformance statement with its tables made anew. Throws when one of them has no place in it, or more than one, or a place no table. */
export async function withTables(page: string): Promise<string> {
  const places = [...page.matchAll(marked)].map(([, , name = ""]) => name);
  const names = Object.keys(tables);
  const wrong = [...places, ...names].filter(
    (name) => !names.includes(name) || places.filter((place) => place === name).length !== 1,
  );
  if (wrong.length > 0) throw new Error(`docs/conformance.md has not one place for ${[...new Set(wrong)].join(", ")}`);
  const made = new Map<string, string>();
  for (const [name, make] of Object.entries(tables)) made.set(name, asMarkdown(await make()));
  return page.replace(
    marked,
    (_all, start: string, name: string, end: string) => `${start}\n${made.get(name)}\n${end}`,
  );
}

function asMarkdown([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line), ""].join("\n");
}
