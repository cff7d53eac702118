import { createWriteStream, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Problem } from "#base/problem";
import { type EntryProofView, exportedLogNames as names, type SignedLog } from "#formats/api";
import { type LogVerdict, openProvenEntry, type ProvenEntry, splitNotes, verifyLog } from "#trust/audit";
import type { Command, CommandContext } from "../arguments.ts";
import { keyIn, verifyExport } from "../exported-log.ts";
import { withServer } from "../with-server.ts";

export const auditExport: Command = {
  words: "audit export",
  takes: "FOLDER",
  does: "the whole log, its checkpoints as signed by log and witnesses, and the public key, for an auditor",
  run: (context) =>
    withServer(context, async (call) => {
      const [folder] = context.positionals;
      if (folder === undefined) throw new Problem("invalid", "name the folder to write to");
      const { size, verifierKey } = await call.json<SignedLog>("POST", "/api/audit/checkpoint");
      await mkdir(folder, { recursive: true });
      const save = async (name: string, answer: Readable) => pipeline(answer, createWriteStream(join(folder, name)));
      await save(names.entries, await call.stream("GET", `/api/audit/lines?to=${size}`));
      await save(names.checkpoints, await call.stream("GET", `/api/audit/checkpoints?to=${size}`));
      await writeFile(join(folder, names.key), `${verifierKey}\n`);
      context.print(`${size} entries in ${folder}; leadglass audit verify ${folder} proves them`, { folder, size });
    }),
};

export const auditProve: Command = {
  words: "audit prove",
  takes: "ENTRY [--out FILE]",
  does: "one entry of the log with the proof that the log holds it, for somebody who may not have the rest",
  options: { out: "FILE  save it there; leadglass audit verify FILE proves it" },
  run: (context) =>
    withServer(context, async (call) => {
      const [entry] = context.positionals;
      if (entry === undefined || !/^[0-9]{1,15}$/.test(entry)) {
        throw new Problem("invalid", "ENTRY is the number of an entry, from 0 on");
      }
      const proof = await call.json<EntryProofView>("GET", `/api/audit/entries/${entry}/proof`);
      const text = JSON.stringify(proof, null, 2);
      const { out } = context.options;
      if (out === undefined) return context.print(text, proof);
      await writeFile(out, `${text}\n`);
      context.print(`entry ${entry} in ${out}; leadglass audit verify ${out} proves it`, proof);
    }),
};

export const auditVerify: Command = {
  words: "audit verify",
  takes: "[FOLDER | FILE] [--key FILE] [--witness KEY]…",
  does: "prove an exported log, or one entry (needs no home), or without FOLDER the log of the home",
  options: { key: "FILE  the public key, had by another way than the export" },
  lists: {
    witness: "KEY  verifier key of a witness that must have signed too; again for another",
    seen: "FILE  a checkpoint of this log that was kept from before, which it must go on from; again for another",
  },
  async run(context) {
    const [place] = context.positionals;
    if (place !== undefined && statSync(place, { throwIfNoEntry: false })?.isFile()) return verifyEntry(place, context);
    const verdict = place === undefined ? await verifyHome(context) : await verifyExport(place, trustedBy(context));
    const { ok, size, vouchedUntil, witnesses, what } = verdict;
    const text = ok
      ? `${size} entries, ${vouchedUntil} of them proven${signedBy(verdict)}`
      : `NOT PROVEN: ${what}; entry ${vouchedUntil} is the first that cannot be vouched for`;
    context.print(text, { ok, size, vouchedUntil, witnesses, what });
    if (!ok) throw new Problem("damaged", "the log is not what was signed", { remedy: "keep these files as they are" });
  },
};

const trustedBy = ({ options, lists }: CommandContext) => ({
  keyFile: options.key,
  witnessKeys: lists.witness,
  seenFiles: lists.seen,
});

function signedBy({ vouchedBy, witnesses }: LogVerdict): string {
  if (vouchedBy === undefined) return "";
  const seen = witnesses.length === 0 ? "" : `, which ${witnesses.join(", ")} signed too`;
  return ` by the checkpoint of ${new Date(vouchedBy.at).toISOString()}${seen}`;
}

async function verifyEntry(file: string, context: CommandContext): Promise<void> {
  const { options, lists } = context;
  const proof = await proofIn(file);
  const verifierKey = options.key === undefined ? proof.verifierKey : await keyIn(options.key);
  const { provenAt, ...entry } = openProvenEntry(proof, verifierKey, lists.witness);
  const when = new Date(provenAt).toISOString();
  context.print(`${proof.line}\nentry ${proof.index}, proven by the log as signed ${when}`, { entry, provenAt });
}

async function proofIn(file: string): Promise<EntryProofView> {
  const parsed: unknown = await readFile(file, "utf8")
    .then(JSON.parse)
    .catch(() => undefined);
  const { index, line, path, checkpoint, verifierKey } = (parsed ?? {}) as Partial<EntryProofView>;
  const isWhole =
    Number.isSafeInteger(index) &&
    [line, checkpoint, verifierKey].every((text) => typeof text === "string") &&
    Array.isArray(path) &&
    path.every((hash) => typeof hash === "string");
  if (isWhole) return { index, line, path, checkpoint, verifierKey } as ProvenEntry & { verifierKey: string };
  throw new Problem("invalid", `${file} is not an entry that \`leadglass audit prove\` wrote`);
}

function verifyHome(context: CommandContext): Promise<LogVerdict> {
  return withServer(context, async (call) => {
    const { size, verifierKey } = await call.json<SignedLog>("POST", "/api/audit/checkpoint");
    const notes = await textOf(await call.stream("GET", `/api/audit/checkpoints?to=${size}`));
    const text = await call.stream("GET", `/api/audit/lines?to=${size}`);
    const { witness: witnessKeys = [] } = context.lists;
    return verifyLog({ text, checkpoints: splitNotes(notes), verifierKey, witnessKeys });
  });
}

async function textOf(answer: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("utf8");
}
