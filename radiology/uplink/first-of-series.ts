/** Knows which series were begun lately: the first instance of one goes before others, so that reading can begin. */
export interface FirstOfSeries {
  isFirst(series: string): boolean;
  /** One of it has been taken. */
  note(series: string): void;
}

/** After so many others a series counts as new again: no more comes of it than one instance that goes first. */
const seriesMost = 10_000;

export function createFirstOfSeries(): FirstOfSeries {
  const known = new Set<string>();
  return {
    isFirst: (series) => !known.has(series),
    note(series) {
      known.delete(series);
      known.add(series);
      if (known.size > seriesMost) known.delete(known.values().next().value ?? "");
    },
  };
}
