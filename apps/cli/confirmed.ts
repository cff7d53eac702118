import { Problem, type ProblemCode } from "#base/problem";
import type { ConfirmationView } from "#formats/api";
import type { CommandContext } from "./arguments.ts";
import type { Call } from "./call.ts";
import { follow } from "./follow.ts";

/** For the `flags` of a command whose act a second administrator confirms. */
export const confirmationFlags = { "no-wait": "ask, print the request's id and do not wait for the confirmation" };

interface Server {
  readonly call: Call;
  readonly running: boolean;
}

/**
 * Asks for an act that one person must not do alone and waits until another administrator has confirmed it and it is done.
 * Resolves with what came of it; undefined with `--no-wait`, when the id was printed. Rejects when it was refused, withdrawn, not
 * confirmed in time, or failed.
 */
export async function confirmed<Result>(
  context: CommandContext,
  server: Server,
  ask: () => Promise<ConfirmationView>,
): Promise<Result | undefined> {
  const waits = !context.flags.has("no-wait");
  if (waits) requireRunning(server);
  const asked = await ask();
  if (waits) return outcomeOf<Result>(context, server, asked);
  const until = new Date(asked.endsAt).toISOString();
  context.print(`asked for: ${asked.id}, to be confirmed until ${until}`, asked);
  return undefined;
}

/** Waits for one that was asked for. */
export async function outcomeOf<Result>(
  context: CommandContext,
  server: Server,
  { id, state, endsAt }: ConfirmationView,
): Promise<Result> {
  if (state === "pending") requireRunning(server);
  context.say(`another administrator confirms it on the page Confirmations, until ${new Date(endsAt).toISOString()}`);
  context.say(`Ctrl-C ends the waiting alone; leadglass confirmation wait ${id} goes on with it`);
  const outcome = await follow<ConfirmationView>(
    await server.call.stream("GET", `/api/confirmations/${id}/follow`),
    context,
  );
  return resultOf<Result>(outcome);
}

function requireRunning({ running }: Server): void {
  if (running) return;
  throw new Problem("unavailable", "nobody can confirm while the server of this home does not run", {
    remedy: "leadglass start, then again",
  });
}

function resultOf<Result>({ state, decidedBy, problem, result }: ConfirmationView): Result {
  if (state === "done") return result as Result;
  if (state === "failed" && problem !== undefined) {
    const { code, message, remedy } = problem;
    throw new Problem(code as ProblemCode, message, remedy === undefined ? {} : { remedy });
  }
  const said = {
    refused: `${decidedBy} refused it`,
    withdrawn: "it was withdrawn",
    expired: "nobody confirmed it in time",
  }[state as "refused" | "withdrawn" | "expired"];
  throw new Problem("conflict", `${said}; nothing was done`, {
    remedy: "talk to the other administrator, then ask again",
  });
}
