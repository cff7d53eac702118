import type { TransferKind, TransferView } from "#formats/api";

/** What is done with a machine, as one says it with its title behind. */
export const transferKinds: Readonly<Record<TransferKind, string>> = {
  send: "To",
  route: "By a rule, to",
  fetch: "From",
  "commitment-ask": "Kept by",
  "commitment-report": "What is kept, said to",
  announcement: "Told to",
};

/** How it stands; why not, where it does not. */
export function transferState({ state, progress, problem, attempts }: TransferView): string {
  const far = progress === undefined ? "" : `, ${progress.done} of ${progress.of} images`;
  switch (state) {
    case "running":
      return `under way${far}`;
    case "waiting":
      return attempts === 0 ? "waits" : `is tried again: ${problem?.message ?? "it did not go"}`;
    case "done":
      return `done${far}`;
    case "given-up":
      return `given up: ${problem?.message ?? "it did not go"}`;
    case "cancelled":
      return "called off";
  }
}

export const isUnderWay = ({ state }: TransferView): boolean => state === "waiting" || state === "running";
