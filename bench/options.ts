import { parseArgs } from "node:util";
import type { FillOptions } from "./filled.ts";
import type { Pace } from "./requests.ts";

/** What benches that ask filled servers take: `--studies 2000 --seconds 5 --clients 1,16 --only leadglass --fresh`. */
export function filledOptions(words: readonly string[]): { readonly fill: FillOptions; readonly pace: Pace } {
  const { values } = parseArgs({
    args: [...words],
    options: {
      studies: { type: "string", default: "50000" },
      slices: { type: "string", default: "1000" },
      seconds: { type: "string", default: "5" },
      rounds: { type: "string", default: "3" },
      clients: { type: "string", default: "1,16" },
      only: { type: "string" },
      fresh: { type: "boolean", default: false },
    },
  });
  const { fresh, only } = values;
  return {
    fill: { studies: Number(values.studies), slices: Number(values.slices), fresh, only },
    pace: {
      seconds: Number(values.seconds),
      rounds: Number(values.rounds),
      clients: values.clients.split(",").map(Number),
    },
  };
}
