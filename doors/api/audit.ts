import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { AuditPage, EntryProofView, SignedLog } from "#formats/api";
import { proveEntry } from "#trust/audit";
import type { ApiParts } from "./parts.ts";

const pageMax = 500;
const pageDefault = 100;
/** Lines read at once while the log is exported. */
const exportedAtOnce = 1_000;

const upTo = {
  type: "object",
  additionalProperties: false,
  required: ["to"],
  properties: { to: { type: "integer", minimum: 0 } },
};

/** The log: pages for people, the whole of it for an auditor. */
export function registerAudit(server: FastifyInstance, parts: ApiParts): void {
  const { gate, audit, cosigning, actorOf } = parts;

  server.get<{ Querystring: { from?: number; to?: number } }>(
    "/api/audit",
    {
      schema: {
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: { from: { type: "integer", minimum: 0 }, to: { type: "integer", minimum: 0 } },
        },
      },
    },
    (request): Promise<AuditPage> =>
      gate.pass(actorOf(request), "audit.read", undefined, async () => {
        const size = audit.size();
        const to = Math.min(request.query.to ?? size, size);
        const from = Math.min(to, Math.max(request.query.from ?? to - pageDefault, to - pageMax, 0));
        const entries = (await audit.entries(from, to)).map((entry, at) => ({ index: from + at, ...entry }));
        const newestFirst = request.query.from === undefined;
        const checkpoint = audit.latestCheckpoint()?.note ?? null;
        return { size, checkpoint, entries: newestFirst ? entries.reverse() : entries };
      }),
  );

  /** What an export begins with: everything up to here is signed now. */
  server.post(
    "/api/audit/checkpoint",
    (request): Promise<SignedLog> =>
      gate.pass(actorOf(request), "audit.export", undefined, async () => {
        const { size } = await audit.checkpoint();
        await cosigning.settle();
        return { size: audit.latestCheckpoint()?.size ?? size, verifierKey: audit.verifierKey() };
      }),
  );

  server.get<{ Querystring: { to: number } }>(
    "/api/audit/lines",
    { schema: { querystring: upTo } },
    async (request, reply) => {
      await gate.pass(actorOf(request), "audit.export", undefined, async () => {});
      const to = Math.min(request.query.to, audit.size());
      return reply.type("application/x-ndjson").send(Readable.from(linesUpTo(to), { objectMode: false }));
    },
  );

  server.get<{ Params: { index: number } }>(
    "/api/audit/entries/:index/proof",
    { schema: { params: { type: "object", properties: { index: { type: "integer", minimum: 0 } } } } },
    (request): Promise<EntryProofView> =>
      gate.pass(actorOf(request), "audit.read", undefined, async () => {
        const { index } = request.params;
        if (index < audit.size()) await audit.checkpoint().then(cosigning.settle);
        return { ...(await proveEntry(audit, index)), verifierKey: audit.verifierKey() };
      }),
  );

  async function* linesUpTo(to: number): AsyncGenerator<string> {
    for (let from = 0; from < to; from += exportedAtOnce) {
      const lines = await audit.lines(from, Math.min(to, from + exportedAtOnce));
      yield lines.map((line) => `${line.toString("utf8")}\n`).join("");
    }
  }

  server.get<{ Querystring: { to: number } }>(
    "/api/audit/checkpoints",
    { schema: { querystring: upTo } },
    async (request, reply) => {
      await gate.pass(actorOf(request), "audit.export", undefined, async () => {});
      const { to } = request.query;
      const notes = async function* () {
        for await (const { note, size } of audit.checkpoints()) if (size <= to) yield note;
      };
      return reply.type("text/plain; charset=utf-8").send(Readable.from(notes(), { objectMode: false }));
    },
  );
}
