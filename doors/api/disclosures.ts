import type { FastifyInstance } from "fastify";
import type { DisclosureReport, DisclosureView, LookKind, LooksPage } from "#formats/api";
import { type CsvCell, writeCsv } from "#formats/csv";
import type { ApiParts } from "./parts.ts";

const looksDefault = 100;
const looksMost = 500;
const yearMs = 365.25 * 86_400_000;
/** 45 CFR 164.528(a)(1): six years back. */
const reportYears = 6;

/** Who looked at a study, and what was disclosed of a patient. */
export function registerDisclosures(server: FastifyInstance, parts: ApiParts): void {
  const { disclosures, people, shares, clock, actorOf } = parts;
  const naming = async () => {
    const [names, recipients] = await Promise.all([people.names(), shares.recipients()]);
    return (actorId: string): string => {
      if (actorId === "system") return "the server";
      if (actorId.startsWith("pair:")) return "two administrators together";
      if (actorId.startsWith("device:")) return "a machine of this facility";
      return recipients.get(actorId) ?? names.of(actorId);
    };
  };

  server.get<{ Params: { token: string }; Querystring: { before?: number; limit?: number } }>(
    "/api/studies/:token/looks",
    { schema: { querystring: pageSchema } },
    async (request): Promise<LooksPage> => {
      const { before, limit = looksDefault } = request.query;
      const page = { limit, ...(before !== undefined && { before }) };
      const { looks, next } = await disclosures.looks(actorOf(request), request.params.token, page);
      const nameOf = await naming();
      return {
        looks: looks.map(({ purpose = "", ...look }) => ({ ...look, purpose, actorName: nameOf(look.actor) })),
        ...(next !== undefined && { next }),
      };
    },
  );

  server.get<{ Params: { token: string }; Querystring: { from?: number; to?: number; excluding?: "tpo" } }>(
    "/api/patients/:token/disclosures",
    { schema: { querystring: reportSchema } },
    async (request, reply) => {
      const now = clock.now();
      const { to = now + 1, from = Math.floor(to - reportYears * yearMs), excluding } = request.query;
      const choice = { from, to, isExcludingTpo: excluding === "tpo" };
      const found = await disclosures.of(actorOf(request), request.params.token, choice);
      const nameOf = await naming();
      const report: DisclosureReport = {
        patient: request.params.token,
        ...choice,
        disclosures: found.map(({ actor, ...line }) => ({
          ...line,
          who: nameOf(actor),
          description: words[line.what],
          purposeDescription: purposeWords[line.purpose] ?? "",
        })),
      };
      if (!/\btext\/csv\b/.test(request.headers.accept ?? "")) return report;
      return reply.type("text/csv; charset=utf-8").send(writeCsv(heading, report.disclosures.map(rowOf)));
    },
  );
}

const pageSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    before: { type: "integer", minimum: 0 },
    limit: { type: "integer", minimum: 1, maximum: looksMost },
  },
} as const;

const reportSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    from: { type: "integer", minimum: 0 },
    to: { type: "integer", minimum: 0 },
    excluding: { type: "string", enum: ["tpo"] },
  },
} as const;

/** What was done, as one says it to the patient. */
const words: Readonly<Record<LookKind, string>> = {
  viewed: "looked at the images",
  read: "received a copy of the images",
  listed: "saw the name and number in a list",
  exported: "took the images out to other storage",
  shared: "gave somebody outside a link to the images",
  "share-ended": "ended a link to the images",
  sent: "sent a copy of the images to another machine",
  corrected: "corrected name, number or date",
  received: "brought images in",
  deleted: "deleted images",
  emergency: "opened the record in an emergency",
  other: "did something else with the record",
};

const purposeWords: Readonly<Record<string, string>> = {
  treatment: "treatment",
  payment: "payment",
  operations: "the running of the facility",
  research: "research, without name and number",
  "patient-request": "at the patient's request",
  "break-glass": "an emergency",
};

const heading = ["first", "last", "times", "who", "what", "purpose", "studies"];

function rowOf({ firstAt, lastAt, count, who, description, purposeDescription, studies }: DisclosureView): CsvCell[] {
  const time = (at: number) => new Date(at).toISOString();
  return [time(firstAt), time(lastAt), count, who, description, purposeDescription, studies];
}
