import type { FastifyInstance } from "fastify";
import {
  type CloudLinkRequest,
  type CloudLinkView,
  type CloudRenewalRequest,
  type EdgeCertificateView,
  type EdgeCodeView,
  type EdgeEnrolmentRequest,
  type EdgeRenewalRequest,
  type EdgeReportView,
  type EdgeRequest,
  type EdgeScheduleView,
  type EdgeSelfView,
  type EdgeToldView,
  type EdgeView,
  edgeFindings,
} from "#formats/api";
import { type Actor, actorOf as actorNamed, anonymous, type Edge } from "#trust/access";
import { tokenOrNone } from "./devices.ts";
import type { ApiParts } from "./parts.ts";
import { textObject } from "./schemas.ts";

const requestBytesMax = 4_096;
const versionMax = 40;
const signingKeyChars = 43;
const asking = { request: requestBytesMax, software: versionMax, signingKey: signingKeyChars };

/** Edges: for people who add and revoke them, and for themselves. */
export function registerEdges(server: FastifyInstance, parts: ApiParts): void {
  const { edges, edgeCertificates, gate, actorOf } = parts;
  const codeView = async ({ edge, secret }: { edge: Edge; secret: Buffer }): Promise<EdgeCodeView> => ({
    ...{ edge: viewOf(edge, parts), code: await edgeCertificates.codeOf(secret) },
    url: parts.pageUrl(),
  });
  const on = (id: string) => ({ kind: "edge" as const, id: tokenOrNone(id) });

  server.get(
    "/api/edges",
    (request): Promise<EdgeView[]> =>
      gate.pass(actorOf(request), "edge.read", undefined, async () =>
        (await edges.list()).map((edge) => viewOf(edge, parts)),
      ),
  );

  server.post<{ Body: EdgeRequest }>(
    "/api/edges",
    { schema: { body: textObject({ name: 200 }, { facility: 32 }) } },
    (request): Promise<EdgeCodeView> =>
      gate.pass(actorOf(request), "edge.write", undefined, async () => {
        const { name, facility = "" } = request.body;
        return codeView(await edges.invite(name, facility));
      }),
  );

  server.post<{ Params: { id: string } }>("/api/edges/:id/code", (request): Promise<EdgeCodeView> => {
    const { id } = request.params;
    return gate.pass(actorOf(request), "edge.write", on(id), async () => codeView(await edges.inviteAgain(id)));
  });

  server.post<{ Params: { id: string } }>("/api/edges/:id/revoke", (request): Promise<EdgeView> => {
    const { id } = request.params;
    return gate.pass(actorOf(request), "edge.revoke", on(id), async () => viewOf(await edges.revoke(id), parts));
  });

  server.delete<{ Params: { id: string } }>("/api/edges/:id", async (request, reply) => {
    const { id } = request.params;
    await gate.pass(actorOf(request), "edge.write", on(id), async () => {
      await edges.remove(id);
      await parts.edgeReports.forget(id);
    });
    return reply.status(204).send();
  });

  registerOwnCalls(server, parts);
}

/** What a box says for itself. */
function registerOwnCalls(server: FastifyInstance, parts: ApiParts): void {
  const { edges, edgeCertificates, gate, actorOf } = parts;
  server.post<{ Body: EdgeEnrolmentRequest }>(
    "/api/edges/enrolment",
    {
      config: { anonymous: true },
      schema: { body: textObject({ ...asking, secret: 64 }) },
    },
    async (request): Promise<EdgeCertificateView> => {
      const { secret, request: pem, software, signingKey } = request.body;
      const edge = await edges.invited(Buffer.from(secret, "hex"), request.ip).catch(async (error: unknown) => {
        // The gate writes the refusal down; the caller is told what it may know.
        await gate.pass(anonymous, "edge.enrol", undefined, async () => {}).catch(() => {});
        throw error;
      });
      const { id, name } = edge;
      const issue = () => edgeCertificates.issue(pem, id);
      const { certificate } = await gate.pass(actorNamed("edge", id), "edge.enrol", { kind: "edge", id }, () =>
        edges.enrol(edge, { software, signingKey, issue }),
      );
      return { id, name, certificate };
    },
  );

  server.get("/api/edges/self", (request): Promise<EdgeSelfView> => {
    const actor = actorOf(request);
    return gate.pass(actor, "edge.ask", undefined, () => selfViewOf(parts, actor));
  });

  server.get("/api/edges/self/worklist", (request): Promise<EdgeScheduleView> => {
    const actor = actorOf(request);
    return gate.pass(actor, "edge.ask", undefined, async () => {
      const { facility } = await edges.named(edgeOf(actor));
      const version = await parts.schedule.version();
      return { version, steps: await parts.schedule.planned(actor, facility) };
    });
  });

  server.post<{ Body: EdgeRenewalRequest }>(
    "/api/edges/self/renewal",
    { schema: { body: textObject(asking) } },
    (request): Promise<EdgeCertificateView> => {
      const actor = actorOf(request);
      const { request: pem, software, signingKey } = request.body;
      return gate.pass(actor, "edge.renew", { kind: "edge", id: edgeOf(actor) }, async () => {
        const id = edgeOf(actor);
        const issue = () => edgeCertificates.issue(pem, id);
        const { certificate } = await edges.renew(id, { software, signingKey, issue });
        return { id, name: (await edges.named(id)).name, certificate };
      });
    },
  );
}

/** On a box: its way to the cloud. */
export function registerCloudLink(server: FastifyInstance, { cloudLink, gate, actorOf }: ApiParts): void {
  server.get(
    "/api/link",
    (request): Promise<CloudLinkView | null> =>
      gate.pass(actorOf(request), "link.read", undefined, async () => (await cloudLink.view()) ?? null),
  );

  server.post<{ Body: CloudLinkRequest }>(
    "/api/link",
    { schema: { body: textObject({ url: 300, code: 200 }, { proxy: 600 }) } },
    (request): Promise<CloudLinkView> =>
      gate.pass(actorOf(request), "link.enrol", undefined, () => cloudLink.enrol(request.body)),
  );

  server.post<{ Body: CloudRenewalRequest }>(
    "/api/link/renewal",
    { schema: { body: textObject({}, { proxy: 600 }) } },
    (request): Promise<CloudLinkView> =>
      gate.pass(actorOf(request), "link.renew", undefined, () => cloudLink.renew(request.body)),
  );
}

/** The id of the edge that calls. */
export const edgeOf = ({ id }: Actor) => id.slice("edge:".length);

/** What the edge that calls is told of itself, and of its cloud. */
export async function selfViewOf(
  { edges, edgeCertificates, schedule, clock }: Pick<ApiParts, "edges" | "edgeCertificates" | "schedule" | "clock">,
  actor: Actor,
): Promise<EdgeSelfView> {
  const { id, name } = await edges.named(edgeOf(actor));
  const scheduleVersion = await schedule.version();
  return { id, name, at: clock.now(), scheduleVersion, ...(await edgeCertificates.cloudKeys(id)) };
}

/** With what it told last, and how that is to be judged now. */
function viewOf(edge: Edge, { edgeReports, clock }: Pick<ApiParts, "edgeReports" | "clock">): EdgeView {
  const now = clock.now();
  const { version: _, codeDigest: __, serial: ___, nextSerial: ____, codeEndsAt, ...shown } = edge;
  const told = edgeReports.newest(edge.id);
  return {
    ...shown,
    codeEndsAt: codeEndsAt > now ? codeEndsAt : 0,
    told: told === undefined ? null : toldOf(told, now),
  };
}

function toldOf({ report, receivedAt }: EdgeReportView, now: number): EdgeToldView {
  const [worst] = edgeFindings(report, { receivedAt, now });
  const { parcels, oldestAt } = report.queue;
  return { receivedAt, parcels, oldestAt, state: report.link.state, worst: worst?.severity ?? null };
}
