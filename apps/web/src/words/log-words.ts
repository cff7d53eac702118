import type { FoundEntryView } from "#formats/api";
import { actGroup, actGroupLabel, actGroups, actLabel, wordedActs } from "./act-words.ts";

/** What the log says beside acts that somebody is granted: what the server opened or destroyed on the way. */
const alongside: Readonly<Record<string, string>> = {
  "identity.search": "Identity shown in a list",
  "identity.read": "Identity opened to look",
  "identity.export": "Identity given out",
  "identity.correction": "Identity opened to correct",
  "identity.summary": "Identity opened to prepare a series",
  "identity.deletion": "Identity opened to delete",
  "keys.destroying": "Keys about to be destroyed",
  "keys.destroyed": "Keys destroyed",
};

export const entryLabel = (act: string): string => alongside[act] ?? actLabel(act);

/** Beginnings of acts that belong together. */
const families: Readonly<Record<string, string>> = {
  "study.": "Everything on studies",
  "instance.": "Images coming in or given up",
  "identity.": "Identity that was opened",
  "patient.": "Patients corrected, merged or marked",
  "session.": "Signing in and out",
  "credential.": "Passkeys, passwords, authenticators",
  "account.": "Accounts",
  "grant.": "Grants given and ended",
  "client.": "Programs",
  "token.": "Tokens of programs",
  "device.": "Devices",
  "association.": "Connections by DICOM",
  "share.": "Links to studies",
  "glass.": "Looks in an emergency",
  "review.": "Reviews",
  "audit.": "The log itself",
  "confirmation.": "What needs two",
  "vault.": "Keeping and keys",
  "system.": "Starts and stops",
};

/** For a choice of acts: groups first, then each. */
export function actChoices(): { group: string; items: { value: string; label: string }[] }[] {
  const choice = (act: string) => ({ value: act, label: entryLabel(act) });
  return [
    { group: "Groups", items: Object.entries(families).map(([value, label]) => ({ value, label })) },
    ...actGroups.map((group) => ({
      group: actGroupLabel[group],
      items: wordedActs.filter((act) => actGroup(act) === group).map(choice),
    })),
    { group: "What the server opened", items: Object.keys(alongside).map(choice) },
  ];
}

export const outcomeLabel: Readonly<Record<string, string>> = {
  done: "done",
  refused: "refused",
  failed: "failed",
};

const things: Readonly<Record<string, string>> = {
  session: "sign-in",
  confirmation: "request",
  share: "link",
  query: "search",
  system: "",
};

/** What an entry is about: the kind in words, and the token by its beginning. */
export function subjectWords(on: FoundEntryView["on"]): string {
  if (on === undefined) return "";
  const kind = things[on.kind] ?? on.kind;
  return `${kind} ${on.id.length > 12 ? `${on.id.slice(0, 8)}…` : on.id}`.trim();
}

const details: Readonly<Record<string, string>> = {
  address: "From the address",
  userAgent: "By the browser or program",
  reason: "Reason",
  recipient: "For",
};

export const detailLabel = (name: string): string => details[name] ?? name;
