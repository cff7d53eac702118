import type { AuditLog } from "#trust/audit";

const entriesAtOnce = 1000;
const entriesMax = 200_000;

/** When the newest instance was acknowledged, as the log says; undefined when none was among its latest entries. */
export async function newestInstanceAt(
  audit: Pick<AuditLog, "size" | "entries">,
  before = Number.POSITIVE_INFINITY,
): Promise<number | undefined> {
  const size = audit.size();
  for (let to = size; to > 0 && size - to < entriesMax; to -= entriesAtOnce) {
    const entries = await audit.entries(Math.max(0, to - entriesAtOnce), to);
    const newest = entries.findLast(
      ({ act, outcome, at }) => act === "instance.store" && outcome === "done" && at <= before,
    );
    if (newest !== undefined) return newest.at;
  }
  return undefined;
}
