import type { FindingSeverity } from "#formats/api";

export const severityWords: Readonly<Record<FindingSeverity, string>> = {
  critical: "Act now",
  warning: "Look at it",
  notice: "To know",
};
