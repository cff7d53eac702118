import type { FastifyInstance } from "fastify";
import {
  type AsideView,
  type EdgeHistoryView,
  type EdgeReport,
  type EdgeReportView,
  type EdgeSelfView,
  edgeCallersMost,
  edgeDevicesMost,
} from "#formats/api";
import type { Pass } from "#trust/access";
import { tokenOrNone } from "./devices.ts";
import { edgeOf, selfViewOf } from "./edges.ts";
import type { ApiParts, HistorySpan } from "./parts.ts";
import { textObject } from "./schemas.ts";

const count = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const time = { type: "integer", minimum: 0, maximum: 8_640_000_000_000_000 } as const;
const amount = { type: "number", minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const words = { type: "string", maxLength: 500 } as const;
const fields = (properties: Readonly<Record<string, object>>) =>
  ({ type: "object", required: Object.keys(properties), properties }) as const;

const device = fields({
  name: { type: "string", maxLength: 16 },
  lastSeenAt: time,
  storedToday: count,
  failedToday: count,
});
const caller = fields({
  name: { type: "string", maxLength: 16 },
  address: { type: "string", maxLength: 64 },
  lastAt: time,
});

/** Of `EdgeReport`. A field that is not known here is passed over: a box may be newer than its cloud. */
const reportSchema = fields({
  at: time,
  software: { type: "string", maxLength: 40 },
  startedAt: time,
  queue: fields({ parcels: count, bytes: count, oldestAt: { ...time, nullable: true }, aside: count }),
  link: fields({
    ...{ state: { type: "string", enum: ["up", "down", "off"] }, since: time, streams: count },
    ...{ sentBytesPerSecond: amount, delivered: count, lastContactAt: time },
    clockAheadMs: { type: "integer", minimum: -time.maximum, maximum: time.maximum, nullable: true },
    certificateEndsAt: time,
  }),
  receivedPerMinute: amount,
  disk: fields({ freeBytes: count, reservedBytes: count }),
  devices: { type: "array", maxItems: edgeDevicesMost, items: device },
  callers: { type: "array", maxItems: edgeCallersMost, items: caller },
  error: { ...fields({ at: time, message: words, remedy: words }), nullable: true },
});
const reportBytesMax = 64 * 1024;

const spanSchema = {
  type: "object",
  properties: { from: time, to: time, points: { type: "integer", minimum: 1, maximum: 2_000 } },
} as const;
type SpanQuery = Partial<HistorySpan>;

const dayMs = 86_400_000;

/** In the cloud: boxes tell how they do, and people look. */
export function registerEdgeReports(server: FastifyInstance, parts: ApiParts): void {
  const { edges, edgeReports, gate, clock, actorOf } = parts;
  /**
   * By connection, what lets its edge tell: one entry in the log when it begins to, and one an hour, when that ends. An entry for each report
   * would be half a million a year and edge that say nothing.
   */
  const telling = new WeakMap<object, Pass>();
  const on = (id: string) => ({ kind: "edge" as const, id: tokenOrNone(id) });

  server.post<{ Body: EdgeReport }>(
    "/api/edges/self/report",
    { bodyLimit: reportBytesMax, schema: { body: reportSchema } },
    (request): Promise<EdgeSelfView> => {
      const actor = actorOf(request);
      const { socket } = request.raw;
      const keep = async (): Promise<EdgeSelfView> => {
        const self = await selfViewOf(parts, actor);
        await edgeReports.keep(self.id, knownOf(request.body));
        return self;
      };
      const admitted = telling.get(socket);
      if (admitted?.actor.id === actor.id && gate.isLive(admitted)) return keep();
      return gate.pass(actor, "edge.report", { kind: "edge", id: edgeOf(actor) }, (pass) => {
        telling.set(socket, pass);
        return keep();
      });
    },
  );

  server.get<{ Params: { id: string } }>("/api/edges/:id/report", (request): Promise<EdgeReportView | null> => {
    const { id } = request.params;
    return gate.pass(actorOf(request), "edge.read", on(id), async () => {
      await edges.named(id);
      return edgeReports.newest(id) ?? null;
    });
  });

  server.get<{ Params: { id: string }; Querystring: SpanQuery }>(
    "/api/edges/:id/history",
    { schema: { querystring: spanSchema } },
    (request): Promise<EdgeHistoryView> => {
      const { id } = request.params;
      return gate.pass(actorOf(request), "edge.read", on(id), async () => {
        await edges.named(id);
        return edgeReports.history(id, spanOf(request.query, clock.now()));
      });
    },
  );
}

/** On a box: how it does itself. */
export function registerOwnReport(server: FastifyInstance, { ownHealth, gate, clock, actorOf }: ApiParts): void {
  server.get(
    "/api/edge/report",
    (request): Promise<EdgeReport> => gate.pass(actorOf(request), "link.read", undefined, ownHealth.report),
  );

  server.get<{ Querystring: SpanQuery }>(
    "/api/edge/history",
    { schema: { querystring: spanSchema } },
    (request): Promise<EdgeHistoryView> =>
      gate.pass(actorOf(request), "link.read", undefined, () => ownHealth.history(spanOf(request.query, clock.now()))),
  );

  server.get(
    "/api/edge/asides",
    (request): Promise<readonly AsideView[]> =>
      gate.pass(actorOf(request), "link.read", undefined, () => ownHealth.asides.asides(asidesShownMost)),
  );

  server.post<{ Body: { id?: string } }>(
    "/api/edge/asides/again",
    { schema: { body: textObject({}, { id: 32 }) } },
    (request): Promise<{ readonly again: number }> => {
      const { id } = request.body;
      return gate.pass(actorOf(request), "parcel.again", undefined, async () => ({
        again: await ownHealth.asides.again(id),
      }));
    },
  );

  server.delete<{ Params: { id: string } }>("/api/edge/asides/:id", async (request, reply) => {
    const { id } = request.params;
    await gate.pass(actorOf(request), "parcel.drop", undefined, () => ownHealth.asides.drop(id));
    return reply.status(204).send();
  });
}

const asidesShownMost = 500;

function spanOf({ to, from, points = 720 }: SpanQuery, now: number): HistorySpan {
  const until = to ?? now;
  return { from: from ?? Math.max(0, until - dayMs), to: until, points };
}

/** The fields that are checked, and no others. */
function knownOf({ at, software, startedAt, queue, link, receivedPerMinute, disk, ...rest }: EdgeReport): EdgeReport {
  const { parcels, bytes, oldestAt, aside } = queue;
  const { state, since, streams, sentBytesPerSecond, delivered, lastContactAt, clockAheadMs, certificateEndsAt } = link;
  const { freeBytes, reservedBytes } = disk;
  return {
    ...{ at, software, startedAt, receivedPerMinute },
    queue: { parcels, bytes, oldestAt, aside },
    link: { state, since, streams, sentBytesPerSecond, delivered, lastContactAt, clockAheadMs, certificateEndsAt },
    disk: { freeBytes, reservedBytes },
    devices: rest.devices.map(({ name, lastSeenAt, storedToday, failedToday }) => {
      return { name, lastSeenAt, storedToday, failedToday };
    }),
    callers: rest.callers.map(({ name, address, lastAt }) => ({ name, address, lastAt })),
    error: rest.error && { at: rest.error.at, message: rest.error.message, remedy: rest.error.remedy },
  };
}
