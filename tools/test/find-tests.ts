import { readdirSync } from "node:fs";
import { join } from "node:path";

const left = new Set(["node_modules", "dist", "fixtures", ".git", ".cache"]);

/** Every `*.test.ts` under `root`, relative to it; what crosses floors first, because it takes longest. */
export function findTests(root: string): string[] {
  const found = testsIn(root, "").sort();
  return [...found.filter((file) => file.startsWith("tests/")), ...found.filter((file) => !file.startsWith("tests/"))];
}

function testsIn(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return left.has(entry.name) ? [] : testsIn(root, path);
    return entry.isFile() && entry.name.endsWith(".test.ts") ? [path] : [];
  });
}
