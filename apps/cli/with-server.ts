import { isOwnSocket, pathsOf } from "../home/index.ts";
import type { CommandContext } from "./arguments.ts";
import { type Call, createCall } from "./call.ts";

/**
 * Calls the server of the home as its operator: the running one, or, when none runs, one that is started for this command
 * alone and listens to nothing but it.
 */
export async function withServer<T>(
  context: CommandContext,
  work: (call: Call, about: { running: boolean }) => Promise<T>,
): Promise<T> {
  const { controlSocket } = pathsOf(context.home);
  if (isOwnSocket(controlSocket) && (await answers(controlSocket))) {
    return work(createCall(controlSocket), { running: true });
  }
  const { options, home, environment } = context;
  const { readConfiguration, startServer } = await import("../server/index.ts");
  const server = await startServer(readConfiguration({ ...options, home }, environment), {
    listen: "control",
    logLine: () => {},
    configurationOf: (tenant) => readConfiguration({ home: tenant }, environment),
  });
  try {
    return await work(createCall(controlSocket), { running: false });
  } finally {
    await server.close();
  }
}

/** A killed server leaves its socket behind. */
async function answers(socketPath: string): Promise<boolean> {
  try {
    await createCall(socketPath).json("GET", "/healthz");
    return true;
  } catch {
    return false;
  }
}
