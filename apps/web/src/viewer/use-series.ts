import { useEffect, useMemo, useState } from "react";
import type { SeriesView, StudyDetail } from "#formats/api";
import { readSeries } from "./series-metadata.ts";
import type { Shown } from "./stacks.ts";

export interface SeriesEntry {
  readonly series: SeriesView;
  readonly shown: readonly Shown[];
  readonly state: "waiting" | "ready" | "failed";
  readonly error: unknown;
}

const atOnce = 2;

/** Reads what every series holds, the first ones first. `revision` reads them again. */
export function useSeries(study: StudyDetail | undefined, revision: number): readonly SeriesEntry[] {
  const [read, setRead] = useState<ReadonlyMap<string, Omit<SeriesEntry, "series">>>(new Map());
  const series = useMemo(() => inReadingOrder(study?.series ?? []), [study?.series]);
  const studyUid = study?.studyUid;
  const key = series.map((each) => each.seriesUid).join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for the series, which are new objects at every reading of the study; `revision` asks again.
  useEffect(() => {
    if (studyUid === undefined) return;
    const stop = new AbortController();
    const queue = [...series];
    const work = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { seriesUid } = next;
        const entry = await readSeries(studyUid, seriesUid, stop.signal).then(
          (shown) => ({ shown, state: "ready", error: undefined }) as const,
          (error: unknown) => ({ shown: [], state: "failed", error }) as const,
        );
        if (stop.signal.aborted) return;
        setRead((before) => new Map(before).set(seriesUid, entry));
      }
    };
    for (let worker = 0; worker < atOnce; worker += 1) void work();
    return () => stop.abort();
  }, [studyUid, key, revision]);
  return series.map((each) => ({
    series: each,
    ...(read.get(each.seriesUid) ?? { shown: [], state: "waiting", error: undefined }),
  }));
}

/** By series number; what has no picture comes last. */
function inReadingOrder(series: readonly SeriesView[]): readonly SeriesView[] {
  const rank = (each: SeriesView) => (/^(SR|PR|KO|DOC|REG|SEG|RTSTRUCT|RTPLAN|ECG|PLAN)$/.test(each.modality) ? 1 : 0);
  return [...series].sort(
    (one, other) => rank(one) - rank(other) || Number(one.number || 0) - Number(other.number || 0),
  );
}
