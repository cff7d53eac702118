import { Problem } from "#base/problem";
import type { HourlyLimit } from "#doors/link";

const limitsMost = 24;

/**
 * `"link": {"limits": [{"from": 7, "to": 19, "megabits": 20}]}`: between these hours, over midnight where the second is the smaller, the link
 * uses no more. Problem `invalid` for anything else.
 */
export function parseLinkLimits(setting: unknown): readonly HourlyLimit[] {
  if (setting === undefined) return [];
  const { limits, ...rest } = (typeof setting === "object" && setting !== null ? setting : {}) as { limits?: unknown };
  if (!Array.isArray(limits) || limits.length > limitsMost || Object.keys(rest).length > 0) throw refused();
  return limits.map((each: unknown) => {
    const { from, to, megabits } = (each ?? {}) as Readonly<Record<string, unknown>>;
    const isOne = isHour(from) && isHour(to) && from !== to && typeof megabits === "number" && megabits >= 0.1;
    if (!isOne) throw refused();
    return { fromHour: from, toHour: to, bytesPerSecond: (megabits * 1_000_000) / 8 };
  });
}

const isHour = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 24;

function refused(): Problem {
  return new Problem("invalid", "refusing to start: link must hold limits, each with from, to (hours) and megabits", {
    remedy: 'write "link": {"limits": [{"from": 7, "to": 19, "megabits": 20}]} in leadglass.json',
  });
}
