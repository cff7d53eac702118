import type { MessageState, MessageView, PartnerView } from "#formats/api";

export const stateLabel: Readonly<Record<MessageState, string>> = {
  waiting: "waits",
  sent: "sent",
  failed: "set aside",
  cancelled: "called off",
  accepted: "done",
  error: "could not be done",
  rejected: "refused",
};

/** How it stands; why, where it did not go well. */
export function saysState({ state, problem }: Pick<MessageView, "state" | "problem">): string {
  return problem === undefined ? stateLabel[state] : `${stateLabel[state]}: ${problem}`;
}

/** Somebody has to look at it. */
export const isBad = ({ state }: Pick<MessageView, "state">): boolean =>
  state === "failed" || state === "error" || state === "rejected";

const kinds: Readonly<Record<string, string>> = {
  "ORU^R01": "Result",
  "ORM^O01": "Order",
  "OMI^O23": "Imaging order",
  "OMG^O19": "Order",
  "ADT^A08": "Patient changed",
  "ADT^A40": "Patients merged",
  "SIU^S12": "Appointment",
  "SIU^S13": "Appointment moved",
  "SIU^S15": "Appointment cancelled",
};

/** Types that are chosen from, as they are called. */
export const kindChoices = Object.entries(kinds).map(([value, label]) => ({ value, label: `${value} · ${label}` }));

export function saysTakes(takes: PartnerView["takes"]): string {
  return takes.map((one) => (one === "results" ? "results" : "order status")).join(", ");
}
