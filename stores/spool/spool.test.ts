import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemFiles } from "#base/io";
import { spoolContract } from "../../radiology/uplink/spool.contract.ts";
import { openSpool } from "./index.ts";

const root = mkdtempSync(join(tmpdir(), "leadglass-spool-"));
process.on("exit", () => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(root, String(folders++));

spoolContract(async (clock) => openSpool({ files: systemFiles, folder: newFolder(), clock, reserveBytes: 0 }));
