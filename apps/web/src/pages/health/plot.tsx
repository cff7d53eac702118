import { useComputedColorScheme } from "@mantine/core";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { EdgeHistoryView, EdgeMeasure } from "#formats/api";
import { exactTime } from "../../words/moments.ts";
import classes from "./health.module.css";
import { downSpans, plotData, plotWords } from "./history-view.ts";

interface PlotProps {
  readonly title: string;
  readonly history: EdgeHistoryView;
  readonly measure: EdgeMeasure;
  /** A value, with its unit. */
  readonly words: (value: number) => string;
}

const height = 150;

/** One measure over time. Arrow keys move through it; what stands at the mark is told in words. */
export function Plot({ title, history, measure, words }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const scheme = useComputedColorScheme();
  const heading = useId();
  const [marked, setMarked] = useState<number | undefined>(undefined);
  const values = history[measure];
  // biome-ignore lint/correctness/useExhaustiveDependencies: colours come from the page, which the scheme has changed
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const options = optionsOf({
      history,
      words,
      width: element.clientWidth,
      onMark: setMarked,
      style: colours(element),
    });
    const made = new uPlot(options, plotData(history, measure), element);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [history, measure, words, scheme]);

  const move = (event: KeyboardEvent) => {
    const made = plot.current;
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -24, PageDown: 24 }[event.key];
    if (made === undefined || step === undefined) return;
    event.preventDefault();
    const next = Math.min(Math.max((marked ?? values.length - 1) + step, 0), values.length - 1);
    made.setCursor({ left: made.valToPos((history.at[next] ?? 0) / 1000, "x"), top: height / 2 });
    setMarked(next);
  };
  const at = marked === undefined ? undefined : history.at[marked];
  const value = marked === undefined ? undefined : values[marked];
  return (
    <figure className={classes.plot} aria-labelledby={heading}>
      <figcaption className={classes.plotHead}>
        <span id={heading}>{title}</span>
        <span className={classes.reading} aria-live="polite">
          {at === undefined ? "" : `${exactTime(at).slice(0, 16)}  ${value == null ? "not known" : words(value)}`}
        </span>
      </figcaption>
      <div
        ref={place}
        className={classes.canvas}
        role="img"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a picture that is read with arrow keys
        tabIndex={0}
        onKeyDown={move}
        aria-label={plotWords(title, values, words)}
      />
    </figure>
  );
}

interface Colours {
  readonly line: string;
  readonly grid: string;
  readonly text: string;
  readonly down: string;
}

function colours(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    ...{ line: of("--lg-accent"), grid: of("--lg-line") },
    ...{ text: of("--mantine-color-dimmed") || style.color, down: of("--lg-down") },
  };
}

const dayMs = 86_400;
const dateOf = new Intl.DateTimeFormat("sv-SE", { month: "2-digit", day: "2-digit" });
const timeOf = new Intl.DateTimeFormat("sv-SE", { timeStyle: "short" });

interface Drawing {
  readonly history: EdgeHistoryView;
  readonly words: (value: number) => string;
  readonly width: number;
  readonly style: Colours;
  onMark(step: number | undefined): void;
}

function optionsOf({ history, words, width, style, onMark }: Drawing): uPlot.Options {
  const axis = {
    stroke: style.text,
    font: "12px system-ui, sans-serif",
    grid: { stroke: style.grid, width: 1 },
    ticks: { stroke: style.grid, width: 1 },
  };
  const times: uPlot.Axis.DynamicValues = (_plot, splits, _axis, _space, step) =>
    splits.map((at) => (step >= dayMs ? dateOf : timeOf).format(at * 1000));
  return {
    ...{ width, height, legend: { show: false } },
    cursor: { sync: { key: "health" }, y: false, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] } },
    axes: [
      { ...axis, values: times, size: 28, space: 70 },
      { ...axis, values: (_plot, splits) => splits.map(words), size: 92, space: 36 },
    ],
    series: [{}, { stroke: style.line, width: 1.5, fill: `${style.line}22`, points: { show: false } }],
    hooks: {
      drawClear: [(plot) => shadeDown(plot, history, style.down)],
      setCursor: [
        ({ cursor: { idx, left } }) => onMark(idx == null || left === undefined || left < 0 ? undefined : idx),
      ],
    },
  };
}

/** Behind the line, where the link was down. */
function shadeDown(plot: uPlot, history: EdgeHistoryView, colour: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colour;
  for (const [first, last] of downSpans(history)) {
    const from = plot.valToPos((history.at[first] ?? 0) / 1000, "x", true);
    const to = plot.valToPos(((history.at[last] ?? 0) + history.stepMs) / 1000, "x", true);
    ctx.fillRect(from, bbox.top, Math.min(to, bbox.left + bbox.width) - from, bbox.height);
  }
  ctx.restore();
}
