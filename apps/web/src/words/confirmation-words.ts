import type { ConfirmationView } from "#formats/api";

export interface ActWords {
  readonly label: string;
  /** What will be so when it is done. */
  readonly says: string;
  /** It cannot be taken back. */
  readonly isFinal: boolean;
}

const words: Readonly<Record<string, ActWords>> = {
  "study.shred": {
    label: "Shred a study",
    says: "Its keys are destroyed: nobody can open it again, not even from a backup.",
    isFinal: true,
  },
  "patient.shred": {
    label: "Shred a patient",
    says: "The keys of every study of this patient are destroyed: nobody can open them again, not even from a backup.",
    isFinal: true,
  },
  "archive.export": {
    label: "Export in bulk",
    says: "Images with their identity leave the archive, readable for whoever gets them.",
    isFinal: true,
  },
  "root.change": {
    label: "Change the root key",
    says: "From then on the vault opens with the new root key.",
    isFinal: false,
  },
  "recovery-kit.make": {
    label: "Make a recovery kit",
    says: "Two of its three shares together open the vault on another machine.",
    isFinal: false,
  },
};

export function actWords(act: string): ActWords {
  return words[act] ?? { label: act, says: "", isFinal: true };
}

/** What became of one that is no longer to be decided. */
export function outcomeWords({ state, decidedBy = "somebody" }: ConfirmationView): string {
  const said: Readonly<Record<ConfirmationView["state"], string>> = {
    pending: "waiting",
    confirmed: `confirmed by ${decidedBy}, being done`,
    done: `confirmed by ${decidedBy}, done`,
    failed: `confirmed by ${decidedBy}, failed`,
    refused: `refused by ${decidedBy}`,
    withdrawn: "withdrawn",
    expired: "not confirmed in time",
  };
  return said[state];
}

export const isOpen =
  (now: number) =>
  ({ state, endsAt }: ConfirmationView): boolean =>
    state === "pending" && endsAt > now;

export const waitsForMe = (now: number) => (each: ConfirmationView) => !each.isOwn && isOpen(now)(each);
