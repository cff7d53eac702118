// `node tools/tidy/main.ts [--json] [root]`: checks the rules of the house (CONTRIBUTING.md). Exits 0 when all hold.
import { dirname, resolve } from "node:path";
import { check } from "./check.ts";

const args = process.argv.slice(2);
const asJson = args.includes("--json");
const root = resolve(args.find((arg) => !arg.startsWith("--")) ?? dirname(dirname(import.meta.dirname)));

const started = performance.now();
const results = check(root).map(({ id, what, findings }) => ({
  id,
  what,
  findings: findings.map(({ file, line, message }) => `${file}:${line} ${message}`),
}));
const broken = results.filter((result) => result.findings.length > 0);

if (asJson) {
  process.stdout.write(`${JSON.stringify({ rules: results })}\n`);
} else {
  for (const { id, what, findings } of broken) process.stdout.write(`${id}: ${what}\n  ${findings.join("\n  ")}\n`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${results.length} rules, ${broken.length} broken, ${seconds} s\n`);
}
process.exitCode = broken.length === 0 ? 0 : 1;
