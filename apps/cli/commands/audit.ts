import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Problem } from "#base/problem";
import type { SignedLog } from "#formats/api";
import { type LogVerdict, splitNotes, verifyLog } from "#trust/audit";
import type { Command, CommandContext } from "../arguments.ts";
import { withServer } from "../with-server.ts";

/** What an export folder holds: enough to prove the log without us. */
const names = { entries: "entries.jsonl", checkpoints: "checkpoints.txt", key: "verifier.key" };

export const auditExport: Command = {
  words: "audit export",
  takes: "FOLDER",
  does: "the whole log, its signed checkpoints and the public key, for an auditor",
  run: (context) =>
    withServer(context, async (call) => {
      const [folder] = context.positionals;
      if (folder === undefined) throw new Problem("invalid", "name the folder to write to");
      const { size, verifierKey } = await call.json<SignedLog>("POST", "/api/audit/checkpoint");
      await mkdir(folder, { recursive: true });
      const save = async (name: string, answer: Readable) => pipeline(answer, createWriteStream(join(folder, name)));
      await save(names.entries, await call.stream("GET", `/api/audit/lines?to=${size}`));
      await save(names.checkpoints, await call.stream("GET", "/api/audit/checkpoints"));
      await writeFile(join(folder, names.key), `${verifierKey}\n`);
      context.print(`${size} entries in ${folder}; leadglass audit verify ${folder} proves them`, { folder, size });
    }),
};

export const auditVerify: Command = {
  words: "audit verify",
  takes: "[FOLDER] [--key FILE]",
  does: "prove an exported log (needs no home), or without FOLDER the log of the home",
  options: { key: "FILE  the public key, had by another way than the export" },
  async run(context) {
    const [folder] = context.positionals;
    const verdict = folder === undefined ? await verifyHome(context) : await verifyFolder(folder, context.options.key);
    const { ok, size, vouchedUntil, what } = verdict;
    const signedAt =
      verdict.vouchedBy === undefined ? "" : ` by the checkpoint of ${new Date(verdict.vouchedBy.at).toISOString()}`;
    const text = ok
      ? `${size} entries, ${vouchedUntil} of them proven${signedAt}`
      : `NOT PROVEN: ${what}; entry ${vouchedUntil} is the first that cannot be vouched for`;
    context.print(text, { ok, size, vouchedUntil, what });
    if (!ok) throw new Problem("damaged", "the log is not what was signed", { remedy: "keep these files as they are" });
  },
};

function verifyHome(context: CommandContext): Promise<LogVerdict> {
  return withServer(context, async (call) => {
    const { size, verifierKey } = await call.json<SignedLog>("POST", "/api/audit/checkpoint");
    const notes = await textOf(await call.stream("GET", "/api/audit/checkpoints"));
    const lines = await call.stream("GET", `/api/audit/lines?to=${size}`);
    return verifyLog({ entries: linesOf(lines), checkpoints: splitNotes(notes), verifierKey });
  });
}

async function verifyFolder(folder: string, keyFile: string | undefined): Promise<LogVerdict> {
  const read = (path: string) =>
    readFile(path, "utf8").catch((cause) => {
      throw new Problem("absent", `cannot read ${path}`, { remedy: "name a folder that `audit export` wrote", cause });
    });
  const verifierKey = (await read(keyFile ?? join(folder, names.key))).trim();
  const checkpoints = splitNotes(await read(join(folder, names.checkpoints)));
  if (!existsSync(join(folder, names.entries))) await read(join(folder, names.entries));
  return verifyLog({ entries: linesOf(createReadStream(join(folder, names.entries))), checkpoints, verifierKey });
}

async function* linesOf(input: Readable): AsyncGenerator<Buffer> {
  for await (const line of createInterface({ input, crlfDelay: 0 })) yield Buffer.from(line, "utf8");
}

async function textOf(answer: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("utf8");
}
