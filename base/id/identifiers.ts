import type { Random } from "./random.ts";

/** 128 random bits as 32 lower-case hex digits: an id that says nothing about what it names. */
export function newToken(random: Random): string {
  return Buffer.from(random(new Uint8Array(16))).toString("hex");
}

/** A UID under 2.25, from a random UUID (PS3.5 §B.2). At most 44 characters. */
export function newUid(random: Random): string {
  const bytes = random(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${Buffer.from(bytes).toString("hex")}`)}`;
}
