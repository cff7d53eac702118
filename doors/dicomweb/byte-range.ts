/** Bytes `from` (inclusive) to `to` (exclusive). */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * What a Range header asks of a representation of `size` bytes (RFC 9110 §14.2): a span, `whole` where the header is missing,
 * no byte range, or names several (which a server may ignore), `none` where no byte of it is there (416).
 */
export function parseRange(header: string | undefined, size: number): Span | "whole" | "none" {
  const match = /^bytes=([0-9]*)-([0-9]*)$/.exec((header ?? "").replace(/[ \t]/g, ""));
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) return "whole";
  if (first === "") {
    const length = Math.min(size, Number(last));
    return length === 0 ? "none" : { from: size - length, to: size };
  }
  const from = Number(first);
  if (last !== "" && Number(last) < from) return "whole";
  if (from >= size) return "none";
  return { from, to: last === "" ? size : Math.min(size, Number(last) + 1) };
}
