import type { Chance } from "./noise.ts";
import { seededChance } from "./noise.ts";

/** UIDs under 2.25 (PS3.5 B.2), the same for the same seed. */
export function uidSource(seed: number): () => string {
  const chance: Chance = seededChance(seed ^ 0x2250);
  const word = () => BigInt(Math.floor(chance() * 4294967296));
  return () => `2.25.${((word() << 96n) | (word() << 64n) | (word() << 32n) | word() | 1n).toString()}`;
}

export interface PhantomPatient {
  name: string;
  id: string;
  /** DA, YYYYMMDD. */
  birthDate: string;
  sex: "F" | "M" | "O";
}

/** A made-up person for `seed`, recognisable as one. */
export function phantomPatient(seed: number, region: string): PhantomPatient {
  const chance = seededChance(seed ^ 0x9a71);
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  return {
    name: `PHANTOM^${region}`,
    id: `PH${String(seed >>> 0).padStart(6, "0")}`,
    birthDate: `19${two(40 + chance() * 50)}${two(1 + chance() * 12)}${two(1 + chance() * 28)}`,
    sex: chance() < 0.5 ? "F" : "M",
  };
}
