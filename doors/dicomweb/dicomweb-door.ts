import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "#base/problem";
import { createPictureEncoder } from "#imaging/pictures";
import { createImageCache } from "#radiology/images";
import { bulkDataHandler } from "./bulk-data.ts";
import { wadlType, writeWadl } from "./capabilities.ts";
import { createCrossOrigin } from "./cross-origin.ts";
import { framesHandler } from "./frames.ts";
import { instanceMetadataHandler, seriesMetadataHandler, studyMetadataHandler } from "./metadata.ts";
import type { DicomwebParts } from "./parts.ts";
import { publicRoot } from "./public-url.ts";
import { Refusal } from "./refusal.ts";
import { deleteHandler, rejectedHandler, rejectHandler } from "./rejecting.ts";
import { renderedHandler, thumbnailHandler } from "./rendered.ts";
import { acceptOf } from "./request.ts";
import { retrieveHandler } from "./retrieve.ts";
import { searchHandler } from "./search.ts";
import { storeHandler } from "./store.ts";
import { wadoUriHandler } from "./wado-uri.ts";
import { createWorkItemChannels } from "./work-item-channel.ts";
import { workItemHandlers } from "./work-items.ts";

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** Every resource and what can be done with it. */
interface Resource {
  readonly path: string;
  readonly get?: Handler;
  readonly post?: Handler;
  readonly put?: Handler;
  readonly delete?: Handler;
  /** A page holds it open by itself: it keeps no session alive. */
  readonly unattended?: boolean;
}

const study = "/studies/:study";
const series = `${study}/series/:series`;
const instance = `${series}/instances/:instance`;

const workItem = "/workitems/:workitem";
const subscriber = `${workItem}/subscribers/:aetitle`;

const passOverMsMax = 5_000;
/** Headers and frame tables of the instances read last. */
const headersBytesMax = 64 * 1024 * 1024;

function resources(parts: DicomwebParts): Resource[] {
  const cache = createImageCache(headersBytesMax);
  const retrieve = retrieveHandler(parts);
  const showing = { ...parts, cache, encodePicture: createPictureEncoder() };
  const rendered = renderedHandler(showing);
  const thumbnail = thumbnailHandler(showing);
  const reject = rejectHandler(parts);
  const hide = deleteHandler(parts);
  return [
    { path: "/" },
    { path: "/studies", get: searchHandler("study", parts), post: storeHandler(parts) },
    { path: "/series", get: searchHandler("series", parts) },
    { path: "/instances", get: searchHandler("instance", parts) },
    { path: `${study}/series`, get: searchHandler("series", parts) },
    { path: `${study}/instances`, get: searchHandler("instance", parts) },
    { path: `${series}/instances`, get: searchHandler("instance", parts) },
    { path: study, get: retrieve, post: storeHandler(parts), delete: hide },
    { path: series, get: retrieve, delete: hide },
    { path: instance, get: retrieve, delete: hide },
    { path: `${study}/rejected`, get: rejectedHandler(parts) },
    ...[study, series, instance].map((path) => ({ path: `${path}/reject/:code`, post: reject })),
    { path: `${study}/metadata`, get: studyMetadataHandler(parts) },
    { path: `${series}/metadata`, get: seriesMetadataHandler(parts) },
    { path: `${instance}/metadata`, get: instanceMetadataHandler(parts) },
    { path: `${instance}/bulkdata/*`, get: bulkDataHandler(parts) },
    { path: `${instance}/frames/:frames`, get: framesHandler(parts, cache) },
    { path: "/wado", get: wadoUriHandler(showing) },
    ...[study, series, instance, `${instance}/frames/:frames`].flatMap((path) => [
      { path: `${path}/rendered`, get: rendered },
      { path: `${path}/thumbnail`, get: thumbnail },
    ]),
  ];
}

function workItemResources(parts: DicomwebParts): Resource[] {
  const handlers = workItemHandlers(parts);
  return [
    { path: "/workitems", get: handlers.search, post: handlers.create },
    { path: workItem, get: handlers.retrieve, post: handlers.update },
    { path: `${workItem}/state`, put: handlers.changeState },
    { path: `${workItem}/cancelrequest`, post: handlers.requestCancel },
    { path: subscriber, post: handlers.subscribe, delete: handlers.unsubscribe },
    { path: `${subscriber}/suspend`, post: handlers.suspend },
  ];
}

/**
 * DICOMweb (PS3.18 §10 and §11): QIDO-RS, WADO-RS, STOW-RS and UPS-RS under `parts.root`. What each resource offers stands in
 * docs/conformance.md. Register it on a server that authenticates, and answers Problems.
 */
export function createDicomwebDoor(parts: DicomwebParts): (server: FastifyInstance) => Promise<void> {
  return async (server) => {
    await server.register(async (scope) => registerResources(scope, parts), { prefix: parts.root });
  };
}

function registerResources(scope: FastifyInstance, parts: DicomwebParts): void {
  const crossOrigin = createCrossOrigin(parts.isAllowedOrigin);
  // Bodies are streamed by their route; nothing is collected before it.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request, _body, done) => done(null));
  scope.addHook("onSend", async (request, reply) => {
    reply.header("cache-control", "no-store");
    crossOrigin.mark(request, reply);
  });
  // A body that was refused early is passed over, so that its sender gets to read the answer, but not for long.
  scope.addHook("onResponse", async ({ raw }) => {
    if (raw.complete) return;
    raw.resume();
    const timer = parts.clock.after(passOverMsMax, () => raw.destroy());
    raw.once("close", () => timer.stop());
  });
  scope.setErrorHandler((error, _request, reply) => {
    // Said of a body that does not come.
    for (const name of ["content-encoding", "content-range", "accept-ranges"]) reply.removeHeader(name);
    if (!(error instanceof Refusal)) throw error;
    const { status, message, remedy, headers } = error;
    return reply
      .status(status)
      .headers(headers)
      .type("application/json; charset=utf-8")
      .send({
        code: status === 410 ? "absent" : "unsupported",
        message,
        remedy,
      });
  });
  const channels = createWorkItemChannels(parts);
  scope.addHook("preClose", async () => channels.close());
  const channel: Resource = { path: "/subscribers/:aetitle", get: channels.open, unattended: true };
  const offered = [...resources(parts), ...workItemResources(parts), channel];
  const capabilities = offered.map((resource) => ({ path: resource.path, methods: methodsOf(resource) }));
  for (const resource of offered) {
    const { path, get, post, put, delete: remove, unattended = false } = resource;
    const methods = [...methodsOf(resource), "OPTIONS"].join(", ");
    if (get) scope.route({ method: ["GET", "HEAD"], url: path, handler: get, config: { unattended } });
    if (post) scope.route({ method: "POST", url: path, handler: post });
    if (put) scope.route({ method: "PUT", url: path, handler: put });
    if (remove) scope.route({ method: "DELETE", url: path, handler: remove });
    // A browser asks without a token, for a page of an origin that may call. Nobody else has to ask so.
    scope.options(path, { config: { anonymous: true } }, async (request, reply) => {
      if (parts.actorOf(request).kind === "anonymous" && !crossOrigin.isAllowed(request)) {
        throw new Problem("denied", "sign in first", { remedy: "a session or a token is needed" });
      }
      const wantsAll = acceptOf(request).some(({ name }) => name === wadlType);
      if (!wantsAll) return crossOrigin.answer(request, reply, methods);
      const root = publicRoot(request, parts.root, parts.trustForwarded ?? false);
      return reply.header("allow", methods).type(wadlType).send(writeWadl(root, capabilities));
    });
  }
}

const methodsOf = ({ get, post, put, delete: remove }: Resource): string[] => [
  ...(get ? ["GET", "HEAD"] : []),
  ...(post ? ["POST"] : []),
  ...(put ? ["PUT"] : []),
  ...(remove ? ["DELETE"] : []),
];
