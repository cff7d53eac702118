import { QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import type {
  ConfirmationView,
  CredentialsView,
  DeviceView,
  PeopleView,
  PhantomState,
  SessionListing,
  SessionView,
  SetupState,
  SignInOffer,
  StatusView,
  StudyDetail,
  StudyListRequest,
  StudyPage,
  WaitingView,
} from "#formats/api";
import { call, isRefusal } from "./client.ts";

/**
 * What is being read while something changes may be from before, and is read again. The library does so for what was read already; a first
 * reading it would wait for, and show as it is.
 */
class Queries extends QueryClient {
  override invalidateQueries(...[filters, options]: Parameters<QueryClient["invalidateQueries"]>): Promise<void> {
    void this.cancelQueries({ type: "active", ...filters }, { silent: true });
    return super.invalidateQueries(filters, options);
  }
}

/** In memory only: nothing of it is written to the browser's disk, and signing out empties it. */
export function createQueries(): QueryClient {
  const client = new Queries({
    defaultOptions: {
      queries: {
        retry: (count, error) => count < 2 && !(isRefusal(error) && error.status >= 400 && error.status < 500),
        staleTime: 5_000,
        gcTime: 60_000,
        refetchOnWindowFocus: true,
      },
    },
  });
  // A session that ended elsewhere shows the sign-in page, wherever the refusal came up.
  client.getQueryCache().subscribe((event) => {
    if (event.type !== "updated" || event.action.type !== "error") return;
    const { error } = event.action;
    const isSession = event.query.queryKey[0] === "session";
    if (!isSession && isRefusal(error) && error.status === 401) client.setQueryData(["session"], null);
  });
  return client;
}

export const setupQuery = queryOptions({
  queryKey: ["setup"],
  queryFn: () => call<SetupState>("GET", "/api/setup"),
  staleTime: Number.POSITIVE_INFINITY,
});

export const signInQuery = queryOptions({
  queryKey: ["sign-in"],
  queryFn: () => call<SignInOffer>("GET", "/api/sign-in"),
  staleTime: 60_000,
});

export const credentialsQuery = queryOptions({
  queryKey: ["credentials"],
  queryFn: () => call<CredentialsView>("GET", "/api/credentials"),
});

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: () => call<readonly SessionListing[]>("GET", "/api/sessions"),
});

/** `null` is "nobody is signed in". */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async (): Promise<SessionView | null> => {
    try {
      return await call<SessionView>("GET", "/api/session");
    } catch (error) {
      if (isRefusal(error) && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

/** Whether who is signed in may do this act, somewhere: what is shown goes by it, what is done the server decides. */
export function useMay(): (act: string) => boolean {
  const may = useQuery(sessionQuery).data?.may ?? [];
  return (act) => may.includes(act);
}

export const pageSize = 100;

export function searchStudies(request: StudyListRequest): Promise<StudyPage> {
  return call<StudyPage>("POST", "/api/studies/search", request);
}

export const studyQuery = (token: string) =>
  queryOptions({
    queryKey: ["study", token],
    queryFn: () => call<StudyDetail>("GET", `/api/studies/${encodeURIComponent(token)}`),
  });

export const devicesQuery = queryOptions({
  queryKey: ["devices"],
  queryFn: () => call<readonly DeviceView[]>("GET", "/api/devices"),
});

export const waitingQuery = queryOptions({
  queryKey: ["waiting"],
  queryFn: () => call<readonly WaitingView[]>("GET", "/api/devices/waiting"),
});

export const confirmationsQuery = queryOptions({
  queryKey: ["confirmations"],
  queryFn: () => call<readonly ConfirmationView[]>("GET", "/api/confirmations"),
});

export const peopleQuery = queryOptions({
  queryKey: ["people"],
  queryFn: () => call<PeopleView>("GET", "/api/accounts"),
});

export const phantomQuery = queryOptions({
  queryKey: ["phantom"],
  queryFn: () => call<PhantomState>("GET", "/api/phantom"),
});

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: () => call<StatusView>("GET", "/api/status"),
  refetchInterval: 10_000,
});
