import type { FastifyInstance } from "fastify";
import { type SavedView, type SavedViewRequest, viewedPages } from "#formats/api";
import type { KeptView } from "#trust/access";
import type { ApiParts } from "./parts.ts";

/** Lists as a person wants to see them again. */
export function registerSavedViews(server: FastifyInstance, { savedViews, actorOf }: ApiParts): void {
  const page = { type: "string", enum: viewedPages } as const;

  server.get<{ Querystring: { page?: string } }>(
    "/api/saved-views",
    { schema: { querystring: { type: "object", additionalProperties: false, properties: { page } } } },
    async (request): Promise<SavedView[]> =>
      (await savedViews.list(actorOf(request), request.query.page)).flatMap((view) => (isOfPage(view) ? [view] : [])),
  );

  server.post<{ Body: SavedViewRequest }>(
    "/api/saved-views",
    {
      schema: {
        body: {
          type: "object",
          additionalProperties: false,
          required: ["page", "name", "search"],
          properties: {
            page,
            name: { type: "string", minLength: 1, maxLength: 80 },
            search: { type: "string", maxLength: 500 },
          },
        },
      },
    },
    async (request): Promise<SavedView> => ({
      ...request.body,
      ...(await savedViews.keep(actorOf(request), request.body)),
      page: request.body.page,
    }),
  );

  server.delete<{ Params: { id: string } }>("/api/saved-views/:id", async (request, reply) => {
    await savedViews.drop(actorOf(request), request.params.id);
    return reply.status(204).send();
  });
}

const isOfPage = (view: KeptView): view is KeptView & SavedView => viewedPages.some((page) => page === view.page);
