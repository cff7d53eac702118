import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withTables } from "./page.ts";

/** Makes the tables of docs/conformance.md anew: `node tools/generators/conformance/main.ts`. */
const path = join(import.meta.dirname, "../../../docs/conformance.md");
writeFileSync(path, await withTables(readFileSync(path, "utf8")));
