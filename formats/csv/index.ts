export type { CsvCell } from "./csv.ts";
export { lineOf, writeCsv } from "./csv.ts";
