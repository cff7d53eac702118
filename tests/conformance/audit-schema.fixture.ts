import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const schema = fileURLToPath(new URL("audit-message.rng", import.meta.url));

/** Why nothing can be held against the schema, or false. */
export const whyNoXmllint =
  spawnSync("xmllint", ["--version"]).status === 0 ? false : "needs xmllint: apt install libxml2-utils";

/** What `xmllint` finds wrong in these documents by the schema of PS3.15 §A.5.1; empty when all are valid. */
export function faultsIn(documents: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "leadglass-audit-"));
  try {
    const paths = documents.map((document, at) => {
      const path = join(folder, `${at}.xml`);
      writeFileSync(path, document);
      return path;
    });
    const run = spawnSync("xmllint", ["--noout", "--relaxng", schema, ...paths], { encoding: "utf8" });
    return run.status === 0 ? "" : run.stderr || "xmllint failed";
  } finally {
    rmSync(folder, { recursive: true });
  }
}
