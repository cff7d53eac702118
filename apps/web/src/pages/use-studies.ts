import { type InfiniteData, keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { StudyPage, StudyView as StudyRow } from "#formats/api";
import { useEvents } from "../api/events.tsx";
import { pageSize, searchStudies } from "../api/queries.ts";
import { type StudyView, studyListRequest } from "./study-view.ts";

const flashForMs = 2_500;
const refreshAtMostEveryMs = 1_000;

export interface Studies {
  readonly rows: readonly StudyRow[];
  readonly total: number;
  /** False: there are more than that. */
  readonly isTotalExact: boolean;
  readonly state: "loading" | "ready" | "failed";
  readonly error: unknown;
  /** The rows are those of the view before: the new ones are on their way. */
  readonly isStale: boolean;
  /** Tokens of studies that have just arrived or grown. */
  readonly fresh: ReadonlySet<string>;
  more(): void;
  retry(): void;
}

/** The study list as far as it was scrolled, kept current by events. */
export function useStudies(view: StudyView, search: string): Studies {
  const key = ["studies", view, search] as const;
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => searchStudies(studyListRequest(view, search, pageParam, pageSize)),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const read = pages.reduce((sum, page) => sum + page.studies.length, 0);
      return last.studies.length > 0 && (read < last.total || !last.isTotalExact) ? read : undefined;
    },
    placeholderData: keepPreviousData,
  });
  const fresh = useArrivals(key);
  const pages = query.data?.pages ?? [];
  return {
    rows: unique(pages),
    total: pages.at(-1)?.total ?? 0,
    isTotalExact: pages.at(-1)?.isTotalExact ?? true,
    state: query.data !== undefined ? "ready" : query.isError ? "failed" : "loading",
    error: query.error,
    isStale: query.isPlaceholderData,
    fresh,
    more: () => {
      if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
    },
    retry: () => void query.refetch(),
  };
}

/** A study that arrives while pages are read moves the rest down: the same row may come on two pages. */
function unique(pages: readonly StudyPage[]): readonly StudyRow[] {
  const byToken = new Map<string, StudyRow>();
  for (const page of pages)
    for (const study of page.studies) if (!byToken.has(study.token)) byToken.set(study.token, study);
  return [...byToken.values()];
}

function useArrivals(key: readonly ["studies", StudyView, string]): ReadonlySet<string> {
  const queries = useQueryClient();
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const refresh = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const fades = useRef(new Set<ReturnType<typeof setTimeout>>());
  useEffect(
    () => () => {
      clearTimeout(refresh.current);
      for (const fade of fades.current) clearTimeout(fade);
    },
    [],
  );
  useEvents((event) => {
    if (event.type !== "study") return;
    const { study } = event;
    setFresh((before) => new Set(before).add(study.token));
    const fade = setTimeout(() => {
      fades.current.delete(fade);
      setFresh((before) => new Set([...before].filter((token) => token !== study.token)));
    }, flashForMs);
    fades.current.add(fade);
    queries.setQueryData<InfiniteData<StudyPage>>(key, (data) => replaced(data, study));
    // Whether and where it belongs in this view is for the server to say.
    refresh.current ??= setTimeout(() => {
      refresh.current = undefined;
      void queries.invalidateQueries({ queryKey: ["studies"] });
    }, refreshAtMostEveryMs);
  });
  return fresh;
}

function replaced(data: InfiniteData<StudyPage> | undefined, study: StudyRow): InfiniteData<StudyPage> | undefined {
  if (data === undefined) return undefined;
  const pages = data.pages.map((page) => ({
    ...page,
    studies: page.studies.map((each) => (each.token === study.token ? study : each)),
  }));
  return { ...data, pages };
}
