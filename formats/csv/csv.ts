export type CsvCell = string | number | boolean | null | undefined;

/** Where a spreadsheet program takes a cell for a formula: at its first character, blanks and quotes before it passed over. */
const formula = /^[\s\p{Cf}'"]*[=+\-@|%＝＋－＠]/u;
const control = /^[\t\r\n\0]/;
const quoted = /[",\r\n]|^\s|\s$/;

/**
 * A table as RFC 4180 has it, to be opened in a spreadsheet program: a text that such a program would run as a formula gets an
 * apostrophe before it (OWASP, CSV injection). Numbers are left as they are.
 */
export function writeCsv(head: readonly string[], rows: Iterable<readonly CsvCell[]>): string {
  let text = lineOf(head);
  for (const row of rows) text += lineOf(row);
  return text;
}

/** One row of `writeCsv`, for tables that are written as they are read. */
export function lineOf(cells: readonly CsvCell[]): string {
  return `${cells.map(cellOf).join(",")}\r\n`;
}

function cellOf(value: CsvCell): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const safe = formula.test(value) || control.test(value) ? `'${value}` : value;
  return quoted.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
