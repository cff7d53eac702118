import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { EdgeFindRequest, EdgeFound, EdgeInstancesRequest } from "#formats/api";
import type { ApiParts } from "./parts.ts";

const uid = { type: "string", pattern: "^[0-9.]{1,64}$" } as const;
const flag = { type: "boolean" } as const;
const identifierCharactersMax = 1024 * 1024;
const instancesMost = 500;

const findBody = {
  type: "object",
  required: ["sopClassUid", "identifier", "extended"],
  properties: {
    sopClassUid: uid,
    identifier: { type: "string", maxLength: identifierCharactersMax },
    extended: {
      type: "object",
      required: ["relational", "fuzzyNames"],
      properties: Object.fromEntries(
        ["relational", "fuzzyNames", "dateTime", "timezone", "emptyValues", "multipleValues"].map((name) => [
          name,
          flag,
        ]),
      ),
    },
  },
} as const;
const instancesBody = {
  type: "object",
  required: ["studyUid", "seriesUid", "sopUids"],
  properties: {
    ...{ studyUid: uid, seriesUid: uid },
    sopUids: { type: "array", maxItems: instancesMost, items: uid },
  },
} as const;

/** Each is an act of the edge, and what is then done for it another one. */
export function registerEdgeReading(server: FastifyInstance, { edgeReading, gate, actorOf }: ApiParts): void {
  server.post<{ Body: EdgeFindRequest }>(
    "/api/edges/self/find",
    { schema: { body: findBody } },
    (request): Promise<readonly EdgeFound[]> => {
      const actor = actorOf(request);
      return gate.pass(actor, "edge.ask", undefined, () => edgeReading.find(actor, request.body));
    },
  );

  server.post<{ Body: EdgeInstancesRequest }>(
    "/api/edges/self/instances",
    { schema: { body: instancesBody } },
    async (request, reply) => {
      const actor = actorOf(request);
      const files = edgeReading.instances(actor, request.body)[Symbol.asyncIterator]();
      // What is refused is answered as such: nothing has been sent until then.
      const first = await gate.pass(actor, "edge.ask", undefined, () => files.next());
      return reply.type("application/octet-stream").send(Readable.from(from(first, files), { objectMode: false }));
    },
  );
}

/** The rest behind what was taken of it; who hears no more of it ends it, also before it began. */
function from<T>(first: IteratorResult<T>, rest: AsyncIterator<T>): AsyncIterableIterator<T> {
  let taken: IteratorResult<T> | undefined = first;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const next = taken ?? (await rest.next());
      taken = undefined;
      return next;
    },
    async return() {
      await rest.return?.();
      return { done: true, value: undefined };
    },
  };
}
