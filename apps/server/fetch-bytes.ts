import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";

export interface Fetching {
  readonly clock: Clock;
  readonly bytesMax: number;
  readonly timeoutMs?: number;
  /** Sent with POST; else it is GET. */
  readonly body?: { readonly bytes: Uint8Array; readonly type: string };
}

/** The whole answer of exactly this address, no other that it may point to, within bounds. Problem `unavailable` when there is none. */
export async function fetchBytes(url: string, fetching: Fetching): Promise<Buffer> {
  const { clock, bytesMax, timeoutMs = 5_000, body } = fetching;
  const late = new AbortController();
  const timer = clock.after(timeoutMs, () => late.abort());
  try {
    const answer = await fetch(url, {
      redirect: "error",
      signal: late.signal,
      ...(body && { method: "POST", headers: { "content-type": body.type }, body: Buffer.from(body.bytes) }),
    });
    if (!answer.ok || answer.body === null) throw new Error(`status ${answer.status}`);
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of answer.body) {
      bytes += piece.length;
      if (bytes > bytesMax) throw new Error("the answer is too long");
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  } catch (cause) {
    throw new Problem("unavailable", "nothing that can be used came from the address", { cause });
  } finally {
    timer.stop();
    late.abort();
  }
}
