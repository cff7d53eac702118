import assert from "node:assert/strict";
import { test } from "node:test";
import Fastify from "fastify";
import { systemClock } from "#base/clock";
import { isProblem, Problem } from "#base/problem";
import { createLineAnswers } from "./answer-in-lines.ts";

const answerInLines = createLineAnswers(systemClock);

async function ask(work: (tell: (progress: string) => void) => Promise<unknown>) {
  const server = Fastify();
  server.get("/", (_request, reply) => answerInLines(reply, work));
  server.setErrorHandler((error, _request, reply) =>
    reply.code(isProblem(error, "denied") ? 404 : 500).send("refused"),
  );
  const { statusCode, body } = await server.inject("/");
  await server.close();
  return { statusCode, lines: body.trimEnd().split("\n") };
}

const denied = new Problem("denied", "not found", { remedy: "sign in" });

test("how far the work is comes first, its report last", async () => {
  const { statusCode, lines } = await ask(async (tell) => {
    tell("1 of 2");
    return { done: 2 };
  });
  assert.equal(statusCode, 200);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [{ progress: "1 of 2" }, { report: { done: 2 } }],
  );
});

test("what is refused before anything was told has the status of its kind", async () => {
  assert.deepEqual(await ask(() => Promise.reject(denied)), { statusCode: 404, lines: ["refused"] });
});

test("what fails on its way is the last line", async () => {
  const { statusCode, lines } = await ask(async (tell) => {
    tell("half");
    await systemClock.sleep(5);
    throw denied;
  });
  assert.equal(statusCode, 200);
  assert.deepEqual(JSON.parse(lines.at(-1) ?? ""), {
    problem: { code: "denied", message: "not found", remedy: "sign in" },
  });
});
