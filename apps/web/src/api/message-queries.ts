import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { MessageDetail, MessagePage, PartnerView } from "#formats/api";
import { call } from "./client.ts";

export const partnersQuery = queryOptions({
  queryKey: ["partners"],
  queryFn: () => call<readonly PartnerView[]>("GET", "/api/partners"),
});

/** Which messages, as the server is asked; the newest first, a page after the other. */
export const messagesQuery = (question: Readonly<Record<string, string>>) =>
  infiniteQueryOptions({
    queryKey: ["messages", question],
    queryFn: ({ pageParam }) => {
      const before = pageParam === "" ? {} : { before: pageParam };
      return call<MessagePage>("GET", `/api/messages?${new URLSearchParams({ ...question, ...before })}`);
    },
    initialPageParam: "",
    getNextPageParam: ({ isMore, messages }) => (isMore ? messages.at(-1)?.id : undefined),
  });

/** Each look is logged: it is not asked for again by itself. */
export const messageQuery = (id: string) =>
  queryOptions({
    queryKey: ["message", id],
    queryFn: () => call<MessageDetail>("GET", `/api/messages/${encodeURIComponent(id)}`),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
