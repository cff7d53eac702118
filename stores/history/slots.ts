import { crc32 } from "node:zlib";
import type { EdgeMeasure, EdgeSample } from "#formats/api";

/**
 * One sample in 64 bytes, which lie in one sector: the number of its period since 1970 (4 bytes, big-endian), CRC-32 of the values begun with
 * that number (4), seven numbers (IEEE 754, 8 each). What tore, was never written or is of another period is no sample.
 */
export const slotBytes = 64;
const headBytes = 8;
const periodMax = 0xffff_ffff;

type Values = Readonly<Record<EdgeMeasure, number>>;

const orderOfMeasures: readonly EdgeMeasure[] = [
  "parcels",
  "bytes",
  "oldestMs",
  "sentBytesPerSecond",
  "receivedPerMinute",
  "freeBytes",
  "up",
];

/** What a longer period comes to: the worst of what waits and of what is left, the mean of what flows. */
const together: Readonly<Record<EdgeMeasure, (values: readonly number[]) => number>> = {
  parcels: (values) => Math.max(...values),
  bytes: (values) => Math.max(...values),
  oldestMs: (values) => Math.max(...values),
  sentBytesPerSecond: mean,
  receivedPerMinute: mean,
  freeBytes: (values) => Math.min(...values),
  up: mean,
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const byMeasure = (of: (measure: EdgeMeasure) => number): Values =>
  Object.fromEntries(orderOfMeasures.map((measure) => [measure, of(measure)])) as Values;

export function merged(samples: readonly Values[]): Values | undefined {
  if (samples.length < 2) return samples[0];
  return byMeasure((measure) => together[measure](samples.map((sample) => sample[measure])));
}

export function slotOf(period: number, values: Values | EdgeSample): Buffer {
  const slot = Buffer.alloc(slotBytes);
  orderOfMeasures.forEach((measure, place) => {
    slot.writeDoubleBE(values[measure], headBytes + 8 * place);
  });
  slot.writeUInt32BE(period, 0);
  slot.writeUInt32BE(crc32(slot.subarray(headBytes), period), 4);
  return slot;
}

/** The period of a sound slot, and what is in it. */
export function sampleIn(slot: Buffer): { readonly period: number; readonly values: Values } | undefined {
  if (slot.length < slotBytes) return undefined;
  const period = slot.readUInt32BE(0);
  if (crc32(slot.subarray(headBytes), period) !== slot.readUInt32BE(4)) return undefined;
  const values = byMeasure((measure) => slot.readDoubleBE(headBytes + 8 * orderOfMeasures.indexOf(measure)));
  return Object.values(values).every(Number.isFinite) ? { period, values } : undefined;
}

export const isPeriod = (period: number) => Number.isInteger(period) && period >= 0 && period <= periodMax;
