import { print } from "./report.ts";

type Bench = (words: readonly string[]) => Promise<void>;

/** What can be measured, each loaded when asked for. */
const benches: Readonly<Record<string, { does: string; load: () => Promise<Bench> }>> = {
  ingest: {
    does: "C-STORE of a 1,000-slice CT beside storescp and Orthanc  [--runs 3] [--associations 1,4] [--only leadglass]",
    load: async () => (await import("./ingest.ts")).ingest,
  },
};

const [name = "", ...words] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  print("npm run bench -- NAME [options]\n");
  for (const [known, { does }] of Object.entries(benches)) print(`  ${known.padEnd(10)} ${does}`);
  process.exitCode = name === "" || name === "--help" ? 0 : 2;
} else {
  await (await bench.load())(words);
}
