import type { FastifyInstance } from "fastify";
import { Problem } from "#base/problem";
import {
  type ArchiveQuery,
  type ArchiveStudyView,
  archiveKeys,
  type DestinationView,
  type FetchingRequest,
  type SendingRequest,
  type TransferKind,
  type TransferView,
} from "#formats/api";
import { isUid } from "#formats/dicom";
import type { Transfer } from "#radiology/relay";
import { takesImages } from "#trust/access";
import { createLineAnswers } from "./answer-in-lines.ts";
import type { ApiParts } from "./parts.ts";

const token = { type: "string", pattern: "^[0-9a-f]{32}$" } as const;
const uid = { type: "string", minLength: 1, maxLength: 64 } as const;

const sendingSchema = {
  type: "object",
  additionalProperties: false,
  required: ["study", "to"],
  properties: {
    study: token,
    to: token,
    series: { type: "array", minItems: 1, maxItems: 1_000, items: uid },
    commit: { type: "boolean" },
  },
} as const;

const fetchingSchema = {
  type: "object",
  additionalProperties: false,
  required: ["from", "studyUid"],
  properties: { from: token, studyUid: uid },
} as const;

const listSchema = { type: "object", additionalProperties: false, properties: { study: token } } as const;

const querySchema = {
  type: "object",
  additionalProperties: false,
  minProperties: 1,
  properties: Object.fromEntries(
    archiveKeys.map((keyword) => [keyword, { type: "string", minLength: 1, maxLength: 256 }]),
  ),
} as const;

interface Named {
  Params: { id: string };
}

/** Sending studies to other machines, fetching them from other archives, and what is under way. */
export function registerTransfers(server: FastifyInstance, parts: ApiParts): void {
  const { relay, devices, people, gate, actorOf } = parts;
  const answerInLines = createLineAnswers(parts.clock);

  const views = async (transfers: readonly Transfer[]): Promise<TransferView[]> => {
    const [names, known] = await Promise.all([people.names(), devices.list()]);
    const aeOf = new Map(known.map(({ id, ae }) => [id, ae]));
    return transfers.map(({ kind, to, by, priority: _priority, ...rest }) => ({
      ...rest,
      kind: kind as TransferKind,
      device: { id: to, ae: aeOf.get(to) ?? "" },
      by: by === "system" ? "the server" : names.of(by),
    }));
  };
  const view = async (transfer: Transfer): Promise<TransferView> => {
    const [only] = await views([transfer]);
    return only as TransferView;
  };

  server.get<{ Querystring: { study?: string } }>(
    "/api/transfers",
    { schema: { querystring: listSchema } },
    async (request): Promise<TransferView[]> => views(await relay.list(actorOf(request), request.query.study)),
  );

  server.post<{ Body: SendingRequest }>(
    "/api/transfers/send",
    { schema: { body: sendingSchema } },
    async (request): Promise<TransferView> => {
      const { study: studyToken, to, series: seriesUids, commit = false } = request.body;
      const only = seriesUids === undefined ? {} : { seriesUids };
      return view(await relay.send(actorOf(request), { studyToken, to, ...only, commit }));
    },
  );

  server.post<{ Body: FetchingRequest }>(
    "/api/transfers/fetch",
    { schema: { body: fetchingSchema } },
    async (request): Promise<TransferView> => {
      const { from, studyUid } = request.body;
      if (!isUid(studyUid)) throw new Problem("invalid", "that is no Study Instance UID");
      return view(await relay.fetch(actorOf(request), from, studyUid));
    },
  );

  server.get<Named>("/api/transfers/:id/follow", (request, reply) =>
    answerInLines<TransferView>(reply, async (tell) => {
      const leaving = new AbortController();
      reply.raw.once("close", () => leaving.abort());
      const told = (transfer: Transfer) => tell(howFar(transfer));
      return view(await relay.follow(actorOf(request), request.params.id, told, leaving.signal));
    }),
  );

  server.post<Named>(
    "/api/transfers/:id/retry",
    async (request): Promise<TransferView> => view(await relay.retry(actorOf(request), request.params.id)),
  );

  server.delete<Named>(
    "/api/transfers/:id",
    async (request): Promise<TransferView> => view(await relay.cancel(actorOf(request), request.params.id)),
  );

  server.get(
    "/api/destinations",
    (request): Promise<DestinationView[]> =>
      gate.pass(actorOf(request), "destination.read", undefined, async () =>
        (await devices.list()).filter(takesImages).map(({ id, ae }) => ({ id, ae })),
      ),
  );

  server.post<Named & { Body: ArchiveQuery }>(
    "/api/archives/:id/search",
    { schema: { body: querySchema } },
    (request): Promise<ArchiveStudyView[]> => relay.find(actorOf(request), request.params.id, request.body),
  );
}

function howFar({ state, progress, attempts, problem }: Transfer): string {
  if (state === "running") return progress === undefined ? "begun" : `${progress.done} of ${progress.of} instances`;
  return problem === undefined ? "waiting" : `${problem.message}; tried ${attempts} times, it is tried again`;
}
