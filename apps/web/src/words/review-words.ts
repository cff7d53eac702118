import { counted, type ReviewDecision, type ReviewView } from "#formats/api";

interface KindWords {
  readonly label: string;
  /** What was noticed, of so many. */
  says(count: number): string;
}

const kinds: Readonly<Record<ReviewView["kind"], KindWords>> = {
  "break-glass": {
    label: "Emergency access",
    says: (count) => `opened a patient without a grant, ${counted(count, "time")}`,
  },
  guessing: { label: "Guessed numbers", says: () => "tried numbers in an emergency that stand for nobody" },
  titles: {
    label: "Guessed AE titles",
    says: (count) => `tried one AE title after the other from one address, ${counted(count, "time")}`,
  },
  volume: {
    label: "Unusually many",
    says: (count) => `looked at ${counted(count, "study", "studies")} in an hour, far more than usual`,
  },
  hours: {
    label: "Unusual hours",
    says: (count) => `looked at images at hours that are not this person's, ${counted(count, "time")}`,
  },
  "same-surname": {
    label: "Same family name",
    says: (count) => `looked at a patient of the same family name, ${counted(count, "time")}`,
  },
  "own-record": { label: "Own record", says: (count) => `looked at their own images, ${counted(count, "time")}` },
  vip: { label: "Marked patient", says: (count) => `looked at a patient who is marked, ${counted(count, "time")}` },
};

export const reviewLabel = (kind: ReviewView["kind"]): string => kinds[kind].label;
export const reviewSays = ({ kind, count }: ReviewView): string => kinds[kind].says(count);

export const outcomeLabels: Readonly<Record<ReviewDecision["outcome"], string>> = {
  justified: "Justified",
  "not-justified": "Not justified",
  "needs-follow-up": "Needs follow-up",
};
