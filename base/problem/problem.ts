/**
 * What kind of thing went wrong, in words every door can translate into its own protocol
 * (a DIMSE status, an HTTP status, an exit code):
 *
 * - `invalid`    the caller's input breaks a rule; the same input will fail again
 * - `denied`     the caller is known and may not, or is not known; doors answer as they do for `absent`
 * - `unproven`   the caller may, and has to show again who they are
 * - `absent`     no such object (for this caller)
 * - `conflict`   the state of the object does not allow the act
 * - `unsupported` understood and not built or not offered
 * - `too-large`  over a stated limit
 * - `no-room`    the store has no room; nothing was acknowledged, try again when there is
 * - `busy`       over a limit of concurrency or rate; try again later
 * - `damaged`    bytes at rest failed their proof; they were not served
 * - `unavailable` something we depend on does not answer
 * - `fault`      ours: a bug or an I/O error
 */
export type ProblemCode =
  | "invalid"
  | "denied"
  | "unproven"
  | "absent"
  | "conflict"
  | "unsupported"
  | "too-large"
  | "no-room"
  | "busy"
  | "damaged"
  | "unavailable"
  | "fault";

/**
 * An error that is part of an interface. `message` says what happened to which object and may be shown to the caller,
 * so it never holds an identifying value; `remedy` says what to do next; `cause` is for the log only.
 */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly remedy: string | undefined;

  constructor(code: ProblemCode, message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
  }
}

export function isProblem(error: unknown, code?: ProblemCode): error is Problem {
  return error instanceof Problem && (code === undefined || error.code === code);
}

const passing: ReadonlySet<ProblemCode> = new Set(["unavailable", "busy", "no-room", "fault"]);

/** Whether time, or somebody who looks after a machine, may mend it: the same may go well when it is tried again. */
export function isPassing({ code }: Pick<Problem, "code">): boolean {
  return passing.has(code);
}

const noRoomCodes = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Any thrown value as a Problem: full disks become `no-room`, the rest `fault` with a neutral message. */
export function asProblem(error: unknown, doing: string): Problem {
  if (error instanceof Problem) return error;
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === "string" && noRoomCodes.has(code)) {
    return new Problem("no-room", `no room left while ${doing}`, { remedy: "free or add disk space", cause: error });
  }
  return new Problem("fault", `internal error while ${doing}`, {
    remedy: "see the log of the server at this time",
    cause: error,
  });
}
