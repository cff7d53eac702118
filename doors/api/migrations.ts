import type { FastifyInstance } from "fastify";
import type {
  MigrationReportView,
  MigrationRequest,
  MigrationStudyView,
  MigrationTally,
  MigrationView,
  ProblemView,
} from "#formats/api";
import { type CsvCell, writeCsv } from "#formats/csv";
import { type MigrationStanding, progressOf } from "#radiology/migration";
import { createLineAnswers } from "./answer-in-lines.ts";
import type { ApiParts } from "./parts.ts";

const date = { type: "string", pattern: "^[0-9]{8}$" } as const;
const count = { type: "integer", minimum: 1, maximum: 1_000_000 } as const;
const hour = { type: "integer", minimum: 0, maximum: 23 } as const;
const fromTo = (of: object) => ({
  type: "object",
  additionalProperties: false,
  required: ["from", "to"],
  properties: { from: of, to: of },
});

const requestSchema = {
  type: "object",
  additionalProperties: false,
  required: ["from", "dates"],
  properties: {
    from: { type: "string", pattern: "^[0-9a-f]{32}$" },
    dates: fromTo(date),
    order: { type: "string", enum: ["newest", "oldest"] },
    undated: { type: "boolean" },
    modalities: { type: "array", maxItems: 20, items: { type: "string", pattern: "^[A-Z0-9_ ]{1,16}$" } },
    checkOnly: { type: "boolean" },
    associations: { type: "integer", minimum: 1, maximum: 4 },
    studiesPerMinute: count,
    megabytesPerMinute: count,
    hours: fromTo(hour),
    answersMost: count,
  },
} as const;

const identifiedSchema = {
  type: "object",
  additionalProperties: false,
  properties: { identified: { type: "boolean" } },
} as const;

const shownMost = 500;
const writtenMost = 20_000;

interface Named {
  Params: { id: string };
}

/** Old archives that are taken over: starting, watching and steering it, and what came of it. */
export function registerMigrations(server: FastifyInstance, parts: ApiParts): void {
  const { migrations, devices, people, clock, actorOf } = parts;
  const answerInLines = createLineAnswers(clock);

  const views = async (standings: readonly MigrationStanding[]): Promise<MigrationView[]> => {
    const [names, known] = await Promise.all([people.names(), devices.list()]);
    const aeOf = new Map(known.map(({ id, ae }) => [id, ae]));
    return standings.map((standing) =>
      viewOf(standing, aeOf.get(standing.spec.from) ?? "", names.of(standing.by), clock.now()),
    );
  };
  const view = async (standing: MigrationStanding): Promise<MigrationView> => {
    const [only] = await views([standing]);
    return only as MigrationView;
  };

  server.get(
    "/api/migrations",
    async (request): Promise<MigrationView[]> => views(await migrations.list(actorOf(request))),
  );

  server.post<{ Body: MigrationRequest }>(
    "/api/migrations",
    { schema: { body: requestSchema } },
    async (request): Promise<MigrationView> => {
      const { from, dates, order = "newest", undated = true, ...more } = request.body;
      const { modalities = [], checkOnly = false, associations = 1, ...bounds } = more;
      const spec = { from, dates: { ...dates, order, undated }, modalities, checkOnly, associations, ...bounds };
      return view(await migrations.start(actorOf(request), spec));
    },
  );

  for (const way of ["pause", "resume", "stop"] as const) {
    server.post<Named>(
      `/api/migrations/:id/${way}`,
      async (request): Promise<MigrationView> => view(await migrations[way](actorOf(request), request.params.id)),
    );
  }

  server.delete<Named>("/api/migrations/:id", async (request, reply) => {
    await migrations.remove(actorOf(request), request.params.id);
    return reply.code(204).send();
  });

  server.get<Named>("/api/migrations/:id/follow", (request, reply) =>
    answerInLines<MigrationView>(reply, async (tell) => {
      const leaving = new AbortController();
      reply.raw.once("close", () => leaving.abort());
      const told = (standing: MigrationStanding) => tell(saying(standing, clock.now()));
      return view(await migrations.follow(actorOf(request), request.params.id, told, leaving.signal));
    }),
  );

  server.get<Named>("/api/migrations/:id/report", async (request, reply) => {
    const { job, ...tallies } = await migrations.report(actorOf(request), request.params.id);
    if (isCsv(request.headers.accept)) return reply.type(csvType).send(writeCsv(dayHeading, tallies.days.map(dayRow)));
    const report: MigrationReportView = { migration: await view(job), ...tallies };
    return report;
  });

  server.get<Named & { Querystring: { identified?: boolean } }>(
    "/api/migrations/:id/studies",
    { schema: { querystring: identifiedSchema } },
    async (request, reply) => {
      const { identified = false } = request.query;
      const asCsv = isCsv(request.headers.accept);
      const choice = { identified, limit: asCsv ? writtenMost : shownMost };
      const studies: MigrationStudyView[] = await migrations.wrong(actorOf(request), request.params.id, choice);
      return asCsv ? reply.type(csvType).send(writeCsv(studyHeading, studies.map(studyRow))) : studies;
    },
  );
}

const csvType = "text/csv; charset=utf-8";
const isCsv = (accept: string | undefined): boolean => /\btext\/csv\b/.test(accept ?? "");

function viewOf(standing: MigrationStanding, ae: string, by: string, now: number): MigrationView {
  const { id, spec, state, startedAt, changedAt, totals, unsureDays, trouble, studiesPerMinute } = standing;
  const { from, dates, ...more } = spec;
  const { order, undated, ...range } = dates;
  const { daysListed, days, endsAt } = progressOf(standing, now);
  return {
    ...{ id, device: { id: from, ae }, by, state, startedAt, changedAt, totals, daysListed, days, unsureDays },
    asked: { dates: range, order, undated, ...more },
    ...(studiesPerMinute !== undefined && { studiesPerMinute }),
    ...(endsAt !== undefined && { endsAt }),
    says: saying(standing, now),
    ...(trouble && { trouble: trouble satisfies ProblemView }),
  };
}

/** What is done, what remains, how fast, and until when. */
function saying(standing: MigrationStanding, now: number): string {
  const { totals, state, spec, waitsFor, studiesPerMinute } = standing;
  const { daysListed, days, studiesLeft, endsAt } = progressOf(standing, now);
  const { found, heldBefore, fetched, short, differs, failed } = totals;
  const wrong = short + differs + failed;
  const said = [
    `${daysListed} of ${days} days listed`,
    `${found} studies found: ${heldBefore} were here, ${spec.checkOnly ? "nothing is fetched" : `${fetched} fetched`}`,
    ...(wrong > 0 ? [`${wrong} not whole`] : []),
  ];
  if (state !== "running") return said.join(", ");
  if (studiesLeft > 0) said.push(`about ${studiesLeft} left`);
  if (waitsFor !== undefined) said.push(waitingFor(waitsFor, spec.hours?.from));
  else if (studiesPerMinute !== undefined) said.push(`${rounded(studiesPerMinute)} a minute`);
  if (endsAt !== undefined && waitsFor === undefined) said.push(`done in about ${spanOf(endsAt - now)}`);
  return said.join(", ");
}

function waitingFor(what: NonNullable<MigrationStanding["waitsFor"]>, fromHour: number | undefined): string {
  if (what === "hours") return `waits until ${fromHour}:00`;
  return what === "archive" ? "waits for the archive to answer" : "waits before it tries again";
}

const rounded = (number: number) => (number < 10 ? number.toFixed(1) : String(Math.round(number)));

function spanOf(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours < 2) return `${Math.max(1, Math.round(ms / 60_000))} minutes`;
  return hours < 48 ? `${Math.round(hours)} hours` : `${Math.round(hours / 24)} days`;
}

const columns = [
  ...["found", "heldBefore", "fetched", "waiting", "short", "differs", "failed", "passedOver"],
  ...["instancesListed", "instancesBefore", "instancesFetched", "instancesMissing", "conflicts", "bytes"],
] as const satisfies readonly (keyof MigrationTally["counts"])[];
const dayHeading = ["day", ...columns];
const dayRow = ({ of, counts }: MigrationTally): CsvCell[] => [of, ...columns.map((column) => counts[column])];

const studyHeading = [
  ...["token", "state", "month", "modalities", "listed", "missing", "attempts", "problem"],
  ...["studyUid", "date", "patientId", "patientName", "accession"],
];
function studyRow(study: MigrationStudyView): CsvCell[] {
  const { token, state, month, modalities, listed, missing, attempts, problem, identity } = study;
  const { studyUid, date, patientId, patientName, accession } = identity ?? {};
  return [
    ...[token, state, month, modalities.join(" "), listed, missing, attempts, problem?.message],
    ...[studyUid, date, patientId, patientName, accession],
  ];
}
