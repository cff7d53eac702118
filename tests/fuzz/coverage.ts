import { type Profiler, Session } from "node:inspector/promises";

/** Which parts of the product have run: what V8 counts, block by block, without any change of the code. */
export interface Coverage {
  /** Whether code has run since the last look that had not run before any look that was kept. */
  look(options: { readonly keep: boolean }): Promise<boolean>;
}

/** Counts what of the files under `folders` runs on this thread. Begin before they are loaded: what is loaded is counted whole. */
export async function countCoverage(folders: readonly string[]): Promise<Coverage> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  /** By function: a byte for each character of its text, 1 where it has run; `whollyRun` where all of it has. */
  const seen = new Map<string, Uint8Array>();
  return {
    async look({ keep }) {
      const { result } = await session.post("Profiler.takePreciseCoverage");
      let isNew = false;
      for (const { url, functions } of result) {
        if (!folders.some((folder) => url.includes(folder))) continue;
        for (const each of functions) isNew = noted(seen, url, each, keep) || isNew;
      }
      return isNew;
    },
  };
}

function noted(
  seen: Map<string, Uint8Array>,
  url: string,
  { ranges }: Profiler.FunctionCoverage,
  keep: boolean,
): boolean {
  const [whole] = ranges;
  if (whole === undefined || whole.count === 0) return false;
  const { startOffset: from, endOffset: to } = whole;
  const key = `${url} ${from} ${to}`;
  // Ranges come from outside in: what lies inside says more.
  const ran = new Uint8Array(to - from);
  for (const { startOffset, endOffset, count } of ranges)
    ran.fill(count > 0 ? 1 : 0, startOffset - from, endOffset - from);
  const before = seen.get(key);
  if (before === whollyRun) return false;
  if (before === undefined) {
    if (keep) seen.set(key, ran.includes(0) ? ran : whollyRun);
    return true;
  }
  let isNew = false;
  for (let at = 0; at < ran.length; at++) {
    if (ran[at] === 0 || before[at] === 1) continue;
    if (keep) before[at] = 1;
    isNew = true;
  }
  if (keep && isNew && !before.includes(0)) seen.set(key, whollyRun);
  return isNew;
}

const whollyRun = new Uint8Array(0);
