import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { exactTime, relativeTime } from "./moments.ts";

const Now = createContext(0);

/** One clock for every relative time on the page: they all move together, twice a minute. */
export function NowProvider({ children }: { readonly children: ReactNode }) {
  const [now, setNow] = useState(currentTime);
  useEffect(() => {
    const timer = setInterval(() => setNow(currentTime()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return <Now value={now}>{children}</Now>;
}

/** Epoch milliseconds by this page's clock, which no change of the computer's time moves. */
function currentTime(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

export function useNow(): number {
  return useContext(Now);
}

/** Relative, exact on hover. */
export function Time({ at }: { readonly at: number }) {
  const now = useNow();
  return (
    <time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
      {relativeTime(at, Math.max(now, at))}
    </time>
  );
}
