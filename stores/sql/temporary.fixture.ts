import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that goes with the process. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "leadglass-sql-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
