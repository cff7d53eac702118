/**
 * An answer that a Problem has no code for: 406 nothing acceptable, 410 gone, 413, 415 a type that is not taken, 416 no such range, 426 only
 * by another protocol.
 * The door's error handler sends it; everything else is a Problem and goes to the server's.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: 406 | 410 | 413 | 415 | 416 | 426;
  readonly remedy: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: Refusal["status"], message: string, remedy: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.remedy = remedy;
    this.headers = headers;
  }
}

export function notAcceptable(offered: readonly string[]): Refusal {
  return new Refusal(406, "nothing that the Accept header takes is offered here", `ask for ${offered.join(", or ")}`);
}
