import { createHash } from "node:crypto";

/** Stands for a set of instances by their tokens, whatever their order. */
export function instancesDigest(tokens: readonly string[]): string {
  return createHash("sha256").update(tokens.toSorted().join(" ")).digest("hex");
}
