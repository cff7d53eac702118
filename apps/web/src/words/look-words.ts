import type { LookKind } from "#formats/api";

/** What somebody did with a study, as one says it of them. */
export const lookWords: Readonly<Record<LookKind, string>> = {
  viewed: "looked at the images",
  read: "took the images",
  listed: "saw it in a list",
  exported: "exported it",
  shared: "made a link for somebody outside",
  "share-ended": "ended a link",
  sent: "sent a copy to another machine",
  corrected: "corrected name, number or date",
  received: "brought images in",
  deleted: "deleted images",
  emergency: "opened it in an emergency",
  other: "did something else with it",
};
