import type { FastifyReply, FastifyRequest } from "fastify";

const allowedHeaders = "Authorization, DPoP, Accept, Content-Type, Range";
const exposedHeaders = "Content-Range, Content-Location, Warning, ETag, Retry-After, WWW-Authenticate";
/** A quoted Accept makes browsers ask first: once in two hours is enough (the most that they keep). */
const maxAgeSeconds = "7200";

/** Lets the pages of some origins read answers (Fetch standard, CORS protocol). Never with credentials of the browser. */
export function createCrossOrigin(isAllowedOrigin: (origin: string) => boolean) {
  const isAllowed = ({ headers: { origin } }: FastifyRequest): boolean =>
    origin !== undefined && isAllowedOrigin(origin);
  return {
    isAllowed,
    /** On every answer, refusals too: a page must be able to read why. */
    mark(request: FastifyRequest, reply: FastifyReply): void {
      const also = reply.getHeader("vary");
      reply.header("vary", also === undefined ? "Origin" : `${also}, Origin`);
      if (!isAllowed(request)) return;
      reply.headers({
        "access-control-allow-origin": request.headers.origin ?? "",
        "access-control-expose-headers": exposedHeaders,
        "cross-origin-resource-policy": "cross-origin",
      });
    },
    /** Answers OPTIONS, a browser's question before the request among them. */
    answer(request: FastifyRequest, reply: FastifyReply, methods: string): FastifyReply {
      reply.header("allow", methods);
      if (isAllowed(request)) {
        reply.headers({
          "access-control-allow-methods": methods,
          "access-control-allow-headers": allowedHeaders,
          "access-control-max-age": maxAgeSeconds,
        });
      }
      return reply.status(204).send();
    },
  };
}
