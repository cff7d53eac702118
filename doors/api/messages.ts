import type { FastifyInstance } from "fastify";
import {
  type MessageDetail,
  type MessagePage,
  type MessageState,
  type MessageView,
  messageStates,
  type PartnerTerms,
  type PartnerView,
  partnerCharacterSets,
} from "#formats/api";
import type { MessageHeading, PartnerState } from "#radiology/relay";
import type { ApiParts } from "./parts.ts";

const token = { type: "string", pattern: "^[0-9a-f]{32}$" } as const;
const name = { type: "string", maxLength: 64 } as const;
const moment = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

const termsSchema = {
  type: "object",
  additionalProperties: false,
  required: ["application", "facility", "ownApplication", "ownFacility", "characterSet", "acknowledgment"],
  properties: {
    ...{ application: name, facility: name, ownApplication: name, ownFacility: name },
    characterSet: { type: "string", enum: partnerCharacterSets },
    acknowledgment: { type: "string", enum: ["original", "enhanced"] },
  },
} as const;

const pageMost = 200;
const listSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    ...{ partner: token, before: token, from: moment, until: moment },
    direction: { type: "string", enum: ["in", "out"] },
    state: { type: "string", enum: messageStates },
    kind: { type: "string", pattern: "^[A-Z0-9]{3}(\\^[A-Z0-9]{3})?$" },
    limit: { type: "integer", minimum: 1, maximum: pageMost },
  },
} as const;

interface ListQuery {
  readonly partner?: string;
  readonly before?: string;
  readonly from?: number;
  readonly until?: number;
  readonly direction?: "in" | "out";
  readonly state?: MessageState;
  readonly kind?: string;
  readonly limit?: number;
}

interface Named {
  Params: { id: string };
}

/** Systems that take messages, and the messages that came and went. */
export function registerMessages(server: FastifyInstance, parts: ApiParts): void {
  const { messages, devices, actorOf } = parts;

  const views = async (headings: readonly MessageHeading[]): Promise<MessageView[]> => {
    const aeOf = new Map((await devices.list()).map(({ id, ae }) => [id, ae]));
    return headings.map(({ partner, size: _size, ...rest }) => ({
      ...rest,
      partner: { id: partner, ae: aeOf.get(partner) ?? "" },
    }));
  };
  const view = async (heading: MessageHeading): Promise<MessageView> => (await views([heading]))[0] as MessageView;

  server.get(
    "/api/partners",
    async (request): Promise<PartnerView[]> => (await messages.partners(actorOf(request))).map(partnerView),
  );
  server.put<Named & { Body: PartnerTerms }>(
    "/api/partners/:id",
    { schema: { body: termsSchema } },
    async (request): Promise<PartnerView> =>
      partnerView(await messages.setPartner(actorOf(request), request.params.id, request.body)),
  );
  server.post<Named>(
    "/api/partners/:id/pause",
    async (request): Promise<PartnerView> => partnerView(await messages.pause(actorOf(request), request.params.id)),
  );
  server.post<Named>(
    "/api/partners/:id/resume",
    async (request): Promise<PartnerView> => partnerView(await messages.resume(actorOf(request), request.params.id)),
  );

  server.get<{ Querystring: ListQuery }>(
    "/api/messages",
    { schema: { querystring: listSchema } },
    async (request): Promise<MessagePage> => {
      const { limit = 100, ...choice } = request.query;
      const { messages: found, isMore } = await messages.list(actorOf(request), { ...choice, limit });
      return { messages: await views(found), isMore };
    },
  );
  server.get<Named>("/api/messages/:id", async (request): Promise<MessageDetail> => {
    const { bytes, isCut, answers, ...heading } = await messages.read(actorOf(request), request.params.id);
    const text = (each: Uint8Array) => Buffer.from(each).toString("base64");
    return { ...(await view(heading)), bytes: text(bytes), isCut, answers: answers.map(text) };
  });
  server.post<Named>(
    "/api/messages/:id/replay",
    async (request): Promise<MessageView> => view(await messages.replay(actorOf(request), request.params.id)),
  );
  server.delete<Named>(
    "/api/messages/:id",
    async (request): Promise<MessageView> => view(await messages.cancel(actorOf(request), request.params.id)),
  );
}

function partnerView({ id, ae, ...rest }: PartnerState): PartnerView {
  return { ...rest, device: { id, ae } };
}
