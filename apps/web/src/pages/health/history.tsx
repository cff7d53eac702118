import { Button, Group, SegmentedControl, Title } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { byteSize, counted, duration, type EdgeHistoryView, type EdgeMeasure } from "#formats/api";
import { healthHistoryQuery } from "../../api/health-queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { exactTime } from "../../words/moments.ts";
import rows from "../rows.module.css";
import classes from "./health.module.css";
import { type RangeName, ranges } from "./history-view.ts";
import { Plot } from "./plot.tsx";

interface Measured {
  readonly measure: EdgeMeasure;
  readonly title: string;
  readonly words: (value: number) => string;
}

const plots: readonly Measured[] = [
  { measure: "parcels", title: "Waiting", words: (value) => counted(Math.round(value), "item") },
  { measure: "oldestMs", title: "Oldest item", words: (value) => (value < 60_000 ? "0 min" : duration(value)) },
  { measure: "sentBytesPerSecond", title: "Sent", words: (value) => `${byteSize(value)}/s` },
  {
    measure: "receivedPerMinute",
    title: "Received",
    words: (value) => `${Math.round(value).toLocaleString("en")}/min`,
  },
  { measure: "freeBytes", title: "Free on the disk", words: byteSize },
];

/** How it was. `of`: where it is asked. */
export function History({ of }: { readonly of: string }) {
  const [range, setRange] = useState<RangeName>("day");
  const [isTable, setTable] = useState(false);
  const { points, rows: rowsMost } = ranges[range];
  const history = useQuery({
    ...healthHistoryQuery(of, range, isTable ? rowsMost : points),
    placeholderData: keepPreviousData,
  });
  return (
    <section className={rows.section} aria-labelledby="history">
      <Group justify="space-between" mb={8} gap="xs">
        <Title order={2} id="history">
          History
        </Title>
        <Group gap="xs">
          <SegmentedControl
            size="xs"
            aria-label="Time that is shown"
            value={range}
            onChange={(name) => setRange(name as RangeName)}
            data={Object.entries(ranges).map(([value, { label }]) => ({ value, label }))}
          />
          <Button size="xs" variant="default" onClick={() => setTable(!isTable)}>
            {isTable ? "Show as plots" : "Show as a table"}
          </Button>
        </Group>
      </Group>
      {history.error !== null && history.data === undefined ? (
        <ProblemNote error={history.error} onRetry={() => void history.refetch()} />
      ) : null}
      {history.data === undefined ? null : isTable ? (
        <HistoryTable history={history.data} />
      ) : (
        <Plots history={history.data} />
      )}
    </section>
  );
}

function Plots({ history }: { readonly history: EdgeHistoryView }) {
  return (
    <>
      <p className={classes.legend}>
        <span className={classes.swatch} aria-hidden /> no link. Nothing is drawn for times in which this box was off,
        or not heard of.
      </p>
      <div className={classes.plots}>
        {plots.map((plot) => (
          <Plot key={plot.measure} history={history} {...plot} />
        ))}
      </div>
    </>
  );
}

/** The newest first. */
function HistoryTable({ history }: { readonly history: EdgeHistoryView }) {
  const steps = history.at.map((at, step) => ({ at, step })).reverse();
  return (
    <div className={rows.wrap}>
      <table className={rows.table} aria-label="History">
        <thead>
          <tr>
            <th>From</th>
            <th>Link</th>
            {plots.map(({ measure, title }) => (
              <th key={measure} className={rows.right}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {steps.map(({ at, step }) => (
            <tr key={at}>
              <td className={rows.plain}>{exactTime(at).slice(0, 16)}</td>
              <td className={rows.plain}>{linkWords(history.up[step] ?? null)}</td>
              {plots.map(({ measure, words }) => (
                <td key={measure} className={rows.right}>
                  {history[measure][step] == null ? "–" : words(history[measure][step])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function linkWords(up: number | null): string {
  if (up === null) return "not known";
  return up === 1 ? "up" : up === 0 ? "down" : `up for ${Math.round(up * 100)} %`;
}
