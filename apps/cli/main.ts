import { enableCompileCache } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// Stripping types and compiling some three hundred files takes most of a start; the cache makes it a matter of reading.
const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
enableCompileCache(join(root, "node_modules", ".cache", "leadglass"));
const { run } = await import("./run.ts");
process.exitCode = await run(process.argv.slice(2), process.env);
