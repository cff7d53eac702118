import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { Problem } from "#base/problem";
import {
  type EntryDetailView,
  type EntryPathView,
  exportedLogNames,
  type FoundEntriesView,
  type FoundEntryView,
  type LogQuestion,
} from "#formats/api";
import type { FoundEntry } from "#trust/audit";
import type { ApiParts } from "./parts.ts";
import { zipOf } from "./zip.ts";

const pageMost = 500;
const pageDefault = 100;
/** Calls of the finder, each of which reads a bounded part of the log, for one page. */
const callsMost = 5;
/** Lines read at once while the log is exported. */
const exportedAtOnce = 1_000;

/** The log as people look through it, and what an auditor takes away. */
export function registerLog(server: FastifyInstance, parts: ApiParts): void {
  const { gate, audit, cosigning, actorOf } = parts;

  server.get<{ Querystring: LogQuestion }>(
    "/api/audit/find",
    { schema: { querystring: questionSchema } },
    (request): Promise<FoundEntriesView> =>
      gate.pass(actorOf(request), "audit.read", undefined, async () => {
        const { before, limit = pageDefault, ...criteria } = request.query;
        const found: FoundEntry[] = [];
        let next = before;
        for (let calls = 0; calls < callsMost && found.length < limit; calls++) {
          const page = { limit: limit - found.length, ...(next !== undefined && { before: next }) };
          const read = await parts.finder.find(criteria, page);
          found.push(...read.entries);
          next = read.next;
          if (next === undefined) break;
        }
        const nameOf = await namesFor(parts, actorOf(request));
        return {
          size: audit.size(),
          checkpoint: audit.latestCheckpoint()?.note ?? null,
          entries: found.map((entry) => viewOf(entry, nameOf)),
          ...(next !== undefined && { next }),
        };
      }),
  );

  server.get<{ Params: { index: number } }>(
    "/api/audit/entries/:index/detail",
    { schema: { params: indexSchema } },
    (request): Promise<EntryDetailView> => {
      const { index } = request.params;
      const on = { kind: "entry", id: String(index) } as const;
      return gate.pass(actorOf(request), "audit.reveal", on, async () => {
        const detail = (await audit.details(index, index + 1)).get(index);
        if (detail === undefined) {
          throw new Problem("absent", "nothing personal is kept of this entry", { remedy: "it may have been erased" });
        }
        return detail;
      });
    },
  );

  server.get<{ Params: { index: number }; Querystring: { size: number } }>(
    "/api/audit/entries/:index/path",
    { schema: { params: indexSchema, querystring: sizeSchema } },
    (request): Promise<EntryPathView> =>
      gate.pass(actorOf(request), "audit.read", undefined, async () => {
        const { index } = request.params;
        const { size } = request.query;
        if (index >= size || size > audit.size()) throw new Problem("absent", "the log had no such entry then");
        return { path: (await audit.prove(index, size)).map((hash) => hash.toString("base64")) };
      }),
  );

  server.get("/api/audit/bundle", async (request, reply) => {
    const size = await gate.pass(actorOf(request), "audit.export", undefined, async () => {
      const { size: signed } = await audit.checkpoint();
      await cosigning.settle();
      return signed;
    });
    reply.type("application/zip").header("content-disposition", 'attachment; filename="leadglass-log.zip"');
    return reply.send(Readable.from(zipOf(filesOf(size)), { objectMode: false }));
  });

  const filesOf = (size: number) => [
    { name: exportedLogNames.entries, bytes: () => linesUpTo(size) },
    { name: exportedLogNames.checkpoints, bytes: () => notesUpTo(size) },
    { name: exportedLogNames.key, bytes: () => Readable.from([Buffer.from(`${audit.verifierKey()}\n`)]) },
  ];
  async function* linesUpTo(to: number): AsyncGenerator<Buffer> {
    for (let from = 0; from < to; from += exportedAtOnce) {
      const lines = await audit.lines(from, Math.min(to, from + exportedAtOnce));
      yield Buffer.concat(lines.flatMap((line) => [line, newline]));
    }
  }
  async function* notesUpTo(to: number): AsyncGenerator<Buffer> {
    for await (const { note, size } of audit.checkpoints()) if (size <= to) yield Buffer.from(note, "utf8");
  }
}

const newline = Buffer.from("\n");

const indexSchema = { type: "object", properties: { index: { type: "integer", minimum: 0 } } } as const;

const sizeSchema = {
  type: "object",
  additionalProperties: false,
  required: ["size"],
  properties: { size: { type: "integer", minimum: 1 } },
} as const;

const questionSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    actor: { type: "string", pattern: "^[a-z]+(:[0-9a-f]{1,64})?$" },
    study: { type: "string", pattern: "^[0-9a-f]{32}$" },
    act: { type: "string", pattern: "^[a-z-]+\\.([a-z.-]{1,64})?$" },
    outcome: { type: "string", enum: ["done", "refused", "failed"] },
    from: { type: "integer", minimum: 0 },
    to: { type: "integer", minimum: 0 },
    before: { type: "integer", minimum: 0 },
    limit: { type: "integer", minimum: 1, maximum: pageMost },
  },
} as const;

/** Who an actor id is, for who may see the accounts; without a name for everybody else. */
async function namesFor(
  { policy, people, devices, shares }: ApiParts,
  actor: Parameters<ApiParts["policy"]["decide"]>[0],
): Promise<(id: string) => string> {
  if (!policy.decide(actor, "account.read").isAllowed) return () => "";
  const [names, machines, recipients] = await Promise.all([people.names(), devices.list(), shares.recipients()]);
  const known = new Map([
    ["system", "this server"],
    ["anonymous", "nobody signed in"],
    ...machines.map(({ id, ae }) => [`device:${id}`, ae] as const),
    ...recipients,
  ]);
  return (id) => known.get(id) ?? kindNames[id.split(":", 1)[0] ?? ""] ?? names.of(id);
}

const kindNames: Readonly<Record<string, string>> = {
  device: "a removed device",
  pair: "two people together",
  setup: "a one-use link",
};

function viewOf(entry: FoundEntry, nameOf: (id: string) => string): FoundEntryView {
  return { ...entry, actorName: nameOf(entry.actor) };
}
