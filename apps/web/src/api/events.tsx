import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef } from "react";
import type { ApiEvent } from "#formats/api";
import { sessionQuery } from "./queries.ts";

type Listener = (event: ApiEvent) => void;

interface EventSubject {
  listen(listener: Listener): () => void;
}

const Events = createContext<EventSubject | undefined>(undefined);

/** One connection for the whole page, for as long as somebody is signed in. */
export function EventsProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient();
  const listeners = useRef(new Set<Listener>());
  const subject = useMemo<EventSubject>(
    () => ({
      listen(listener) {
        listeners.current.add(listener);
        return () => listeners.current.delete(listener);
      },
    }),
    [],
  );
  useEffect(() => {
    const stop = connect(
      (event) => {
        for (const listener of listeners.current) listener(event);
      },
      () => {
        // Whatever happened while nobody listened is read again: before the first connection too.
        void queries.invalidateQueries({
          predicate: (query) => query.queryKey[0] !== "session" && query.queryKey[0] !== "setup",
        });
      },
      () => void queries.invalidateQueries(sessionQuery),
    );
    return stop;
  }, [queries]);
  return <Events value={subject}>{children}</Events>;
}

/** Keeps one EventSource alive: the browser's own retry does not come back from an answered error such as 401 or 503. */
function connect(onEvent: Listener, onOpen: () => void, onBroken: () => void): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    source = new EventSource("/api/events");
    source.onopen = onOpen;
    source.onmessage = (message: MessageEvent<string>) => onEvent(JSON.parse(message.data) as ApiEvent);
    source.onerror = () => {
      // Perhaps the server ended it because one may watch no more: whether one is still somebody is asked at once.
      onBroken();
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, 5_000);
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}

/** Calls `listener` for every event; the newest closure is the one called. */
export function useEvents(listener: Listener): void {
  const subject = useContext(Events);
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => subject?.listen((event) => latest.current(event)), [subject]);
}
