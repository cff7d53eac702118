import { createSwitchedVault } from "../../trust/vault/switched-vault.fixture.ts";
import { inARow, look } from "./damaged-vault.ts";

export interface FlipReport {
  readonly flips: number;
  readonly objectBytes: number;
  /** Reading refused. */
  readonly refused: number;
  /** In what reading does not need: its own bytes were read, and `check` told. */
  readonly stillRead: number;
  readonly seconds: number;
}

const objectBytes = 64 * 1024;
/** Header and the first frame's head; the object follows. */
const ciphertextFrom = 128 + 16;

/**
 * Flips single bits of a sealed object of 64 KiB, one at a time, and reads and checks it each time: every bit, or every bit of header,
 * frame heads, tags, record and footer and each `stride`-th of the ciphertext. Throws at the first that is not detected.
 */
export async function flipEveryBit(options: {
  readonly stride?: number;
  readonly seen?: (done: number, of: number) => void;
}): Promise<FlipReport> {
  const { stride = 1, seen } = options;
  const vault = await createSwitchedVault();
  const { bytes, resting } = inARow([await vault.sealed("1.2.3", objectBytes)]);
  const bits = bytes.length * 8;
  const [first, last] = [ciphertextFrom * 8, (ciphertextFrom + objectBytes) * 8];
  const report = { flips: 0, objectBytes: bytes.length, refused: 0, stillRead: 0, seconds: 0 };
  const began = performance.now();
  for (let bit = 0; bit < bits; bit++) {
    if (bit > first && bit < last && (bit - first) % stride !== 0) continue;
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const { refused, stillRead } = await look(vault, resting, damaged).catch((error) => {
      throw new Error(`bit ${bit & 7} of byte ${bit >> 3}`, { cause: error });
    });
    report.flips++;
    report.refused += refused;
    report.stillRead += stillRead;
    if (report.flips % 1000 === 0) seen?.(bit, bits);
  }
  report.seconds = (performance.now() - began) / 1000;
  return report;
}
