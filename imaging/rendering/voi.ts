import type { LookupTable, VoiFunction, Window } from "./attributes.ts";

/** PS3.3 C.11.2.1.2.1 and C.11.2.1.3.2: a LINEAR width is at least 1, the others are above 0. */
export function isUsableWindow(window: Window): boolean {
  const least = (window.function ?? "LINEAR") === "LINEAR" ? window.width >= 1 : window.width > 0;
  return least && Number.isFinite(window.center) && Number.isFinite(window.width);
}

const formulas: Record<VoiFunction, (x: number, center: number, width: number) => number> = {
  // PS3.3 C.11.2.1.2.1. The width of 1 is a step: both bounds are the same and the division is never reached.
  LINEAR(x, center, width) {
    const middle = center - 0.5;
    const half = (width - 1) / 2;
    if (x <= middle - half) return 0;
    if (x > middle + half) return 1;
    return (x - middle) / (width - 1) + 0.5;
  },
  // PS3.3 C.11.2.1.3.2
  LINEAR_EXACT(x, center, width) {
    if (x <= center - width / 2) return 0;
    if (x > center + width / 2) return 1;
    return (x - center) / width + 0.5;
  },
  // PS3.3 C.11.2.1.3.1
  SIGMOID: (x, center, width) => 1 / (1 + Math.exp((-4 * (x - center)) / width)),
};

/** The window as a function from modality units to brightness, 0 to 1. */
export function windowFunction(window: Window): (x: number) => number {
  const formula = formulas[window.function ?? "LINEAR"];
  const { center, width } = window;
  return (x) => formula(x, center, width);
}

/** The entry for `value`; values outside the table take its first or last entry. */
export function lookUp(table: LookupTable, value: number): number {
  const at = Math.round(value) - table.first;
  const last = table.data.length - 1;
  return table.data[at < 0 ? 0 : Math.min(at, last)] ?? 0;
}

/** A VOI LUT as a function to brightness, 0 to 1. */
export function voiLutFunction(table: LookupTable): (x: number) => number {
  const most = 2 ** table.bits - 1;
  return (x) => Math.min(1, lookUp(table, x) / most);
}
