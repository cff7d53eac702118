import { PassThrough } from "node:stream";
import type { FastifyReply } from "fastify";
import type { Clock } from "#base/clock";
import { asProblem } from "#base/problem";
import type { ProblemView } from "#formats/api";

/** A line of progress at most this often. */
const tellEveryMs = 500;

/** Answers long work with a JSON object a line: how far it is, now and then; its report, or the problem, as the last. */
export function createLineAnswers(clock: Clock) {
  return <Report>(reply: FastifyReply, work: (tell: (progress: string) => void) => Promise<Report>) => {
    const lines = new PassThrough();
    let toldMs = Number.NEGATIVE_INFINITY;
    const tell = (progress: string) => {
      if (clock.monotonicMs() - toldMs < tellEveryMs) return;
      toldMs = clock.monotonicMs();
      lines.write(`${JSON.stringify({ progress })}\n`);
    };
    work(tell)
      .then((report) => lines.end(`${JSON.stringify({ report })}\n`))
      .catch((error) => {
        const { code, message, remedy } = asProblem(error, "working on the vault");
        const problem: ProblemView = { code, message, ...(remedy !== undefined && { remedy }) };
        lines.end(`${JSON.stringify({ problem })}\n`);
      });
    return reply.type("application/x-ndjson").send(lines);
  };
}
