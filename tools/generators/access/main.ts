import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pageOfAccess } from "./page.ts";

/** Writes docs/access.md: `node tools/generators/access/main.ts`. */
writeFileSync(join(import.meta.dirname, "../../../docs/access.md"), pageOfAccess());
