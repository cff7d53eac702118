import type { Clock } from "#base/clock";
import { createKeptJson, systemFiles } from "#base/io";
import { createKeyedTurns } from "#base/turns";
import type { EdgeReportKeeper } from "#doors/api";
import { type EdgeReportView, sampleOf } from "#formats/api";
import { createSampleHistory, type SampleHistory } from "#stores/history";
import type { Edges } from "#trust/access";
import type { Vault } from "#trust/vault";

const purpose = "report of an edge";
const reportEnding = ".report";
const historyEnding = ".history";
/** The newest is in memory; on the disk it is no older than this. After a restart an edge tells again within a minute. */
const saveEveryMs = 5 * 60_000;

const edgeOf = (fileName: string): string => fileName.split(".", 1)[0] ?? "";

/**
 * In the cloud: the newest report of each edge, and its history. Reports name machines and so rest sealed; histories are numbers. A report is
 * shown as soon as it has come; its edge is answered when both are kept, and tells again when they could not be. What is left of an edge that
 * is no more, and of a report that was being saved when the process died, goes when this is opened.
 */
export async function openEdgeReports(parts: {
  readonly folder: string;
  readonly vault: Pick<Vault, "secrets">;
  readonly edges: Pick<Edges, "list">;
  readonly clock: Clock;
}): Promise<EdgeReportKeeper> {
  const { vault, edges, clock } = parts;
  const folder = `${parts.folder}/edge-reports`;
  await systemFiles.makeFolder(folder);
  const newest = new Map<string, EdgeReportView>();
  const savedAt = new Map<string, number>();
  const histories = new Map<string, SampleHistory>();
  const turns = createKeyedTurns();
  const historyOf = (id: string): SampleHistory => {
    const history = histories.get(id) ?? createSampleHistory(systemFiles, folder, `${id}${historyEnding}`);
    histories.set(id, history);
    return history;
  };
  const fileOf = (id: string) => createKeptJson(systemFiles, folder, `${id}${reportEnding}`);
  const save = async (id: string, view: EdgeReportView): Promise<void> => {
    const now = clock.monotonicMs();
    if ((savedAt.get(id) ?? Number.NEGATIVE_INFINITY) > now - saveEveryMs) return;
    const sealed = vault.secrets.seal(purpose, Buffer.from(JSON.stringify(view), "utf8"));
    await fileOf(id).save({ sealed: sealed.toString("base64") });
    savedAt.set(id, now);
  };
  const load = async (id: string): Promise<void> => {
    const found = (await fileOf(id).load()) as { sealed: string } | undefined;
    if (found === undefined) return;
    const opened = vault.secrets.open(purpose, Buffer.from(found.sealed, "base64")).toString("utf8");
    newest.set(id, JSON.parse(opened) as EdgeReportView);
  };

  const known = new Set((await edges.list()).map(({ id }) => id));
  for (const name of await systemFiles.list(folder)) {
    const id = edgeOf(name);
    const isReport = name === `${id}${reportEnding}`;
    const isKept = isReport || name === `${id}${historyEnding}`;
    // What cannot be read is told anew by the edge.
    if (!known.has(id) || !isKept) await systemFiles.remove(`${folder}/${name}`);
    else if (isReport) await load(id).catch(() => {});
  }

  return {
    keep: (id, report) =>
      turns.take(id, async () => {
        const view = { report, receivedAt: clock.now() };
        newest.set(id, view);
        // By the cloud's clock: a gap is a time in which the edge was not heard.
        await historyOf(id).add(sampleOf(report, view.receivedAt));
        await save(id, view);
      }),
    newest: (id) => newest.get(id),
    history: (id, span) => historyOf(id).read(span.from, span.to, span.points),
    forget: (id) =>
      turns.take(id, async () => {
        await historyOf(id).remove();
        // By what there is: a report that could not be saved may have left its beginning.
        for (const name of await systemFiles.list(folder)) {
          if (edgeOf(name) === id) await systemFiles.remove(`${folder}/${name}`);
        }
        for (const each of [newest, savedAt, histories]) each.delete(id);
      }),
  };
}
