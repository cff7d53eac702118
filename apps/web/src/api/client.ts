import type { ProblemView } from "#formats/api";

/** What the server answered instead: its words are shown as they are. `status` 0 is a server that cannot be reached. */
export type Refusal = Error & ProblemView & { readonly status: number };

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && "status" in error && "code" in error;
}

function refusal(status: number, problem: ProblemView): Refusal {
  return Object.assign(new Error(problem.message), problem, { status });
}

/** What a page asks by itself, with nobody in front of it, keeps no session alive. */
const isAttended = () => navigator.userActivation?.isActive !== false;

/** Sends JSON, gives JSON. The session cookie goes by itself; the header shows that our own page asks. */
export async function call<Answer>(
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await reach(path, {
    method,
    cache: "no-store",
    headers: {
      accept: "application/json",
      "X-Leadglass": isAttended() ? "1" : "unattended",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (response.status === 204) return undefined as Answer;
  return (await response.json()) as Answer;
}

/** DICOMweb: JSON or bytes, whichever the caller reads. */
export async function retrieve(path: string, accept: string, signal?: AbortSignal): Promise<Response> {
  return reach(path, { cache: "no-store", headers: { accept }, ...(signal === undefined ? {} : { signal }) });
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw refusal(0, {
      code: "unreachable",
      message: "Leadglass cannot be reached.",
      remedy: "Check the network and that the server runs, then try again.",
    });
  }
  if (response.ok) return response;
  throw refusal(response.status, await problemIn(response));
}

async function problemIn(response: Response): Promise<ProblemView> {
  try {
    const body = (await response.json()) as Partial<ProblemView>;
    if (typeof body.message === "string") {
      return { code: body.code ?? "refused", message: body.message, ...(body.remedy ? { remedy: body.remedy } : {}) };
    }
  } catch {
    // Not ours: a proxy's page, or an answer cut short. The status is what is left to say.
  }
  return {
    code: "refused",
    message: `The server answered ${response.status}.`,
    remedy: "Try again; if it stays, see the server's log.",
  };
}
