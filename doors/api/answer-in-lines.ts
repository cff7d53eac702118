import { PassThrough } from "node:stream";
import type { FastifyReply } from "fastify";
import type { Clock } from "#base/clock";
import { asProblem } from "#base/problem";
import type { ProblemView } from "#formats/api";

/** A line of progress at most this often. */
const tellEveryMs = 500;

/** What is refused is refused within this time, as an answer of its own. */
const refusedWithinMs = 500;

/**
 * Answers long work with a JSON object a line: how far it is, now and then; its report, or the problem, as the last. A problem that comes
 * before there is anything to tell rejects: it has the status of its kind.
 */
export function createLineAnswers(clock: Clock) {
  return async <Report>(reply: FastifyReply, work: (tell: (progress: string) => void) => Promise<Report>) => {
    const lines = new PassThrough();
    const begun = Promise.withResolvers<void>();
    let toldMs = Number.NEGATIVE_INFINITY;
    const tell = (progress: string) => {
      begun.resolve();
      if (clock.monotonicMs() - toldMs < tellEveryMs) return;
      toldMs = clock.monotonicMs();
      lines.write(`${JSON.stringify({ progress })}\n`);
    };
    const reported = work(tell);
    const timer = clock.after(refusedWithinMs, begun.resolve);
    await Promise.race([reported, begun.promise]).finally(timer.stop);
    reported
      .then((report) => lines.end(`${JSON.stringify({ report })}\n`))
      .catch((error) => {
        const { code, message, remedy } = asProblem(error, "working on the vault");
        const problem: ProblemView = { code, message, ...(remedy !== undefined && { remedy }) };
        lines.end(`${JSON.stringify({ problem })}\n`);
      });
    return reply.type("application/x-ndjson").send(lines);
  };
}
