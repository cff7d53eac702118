import type { Act } from "./acts.ts";

/** Whose data a scope of SMART App Launch 2.2 is about: of the patient that was chosen, all that the person may see, all that the program may. */
export const scopeContexts = ["patient", "user", "system"] as const;
export type ScopeContext = (typeof scopeContexts)[number];

/** What may be done: create, read, update, delete, search; in this order (SMART App Launch 2.2 §3.0.2). */
export type Interaction = "c" | "r" | "u" | "d" | "s";
const interactions = "cruds";

/** What of FHIR stands for acts of ours. */
const resources = ["ImagingStudy", "Patient", "AuditEvent"] as const;
type Resource = (typeof resources)[number];

export interface ResourceScope {
  readonly context: ScopeContext;
  readonly resource: Resource | "*";
  readonly interactions: readonly Interaction[];
}

/** The endings of version 1, as version 2 reads them. */
const endingsOfVersion1: Readonly<Record<string, string>> = { read: "rs", write: "cud", "*": "cruds" };
/** The longest that can be right is under 40 characters. */
const scopeLengthMax = 64;

/** `context/Resource.cruds`; undefined for what is none, or asks for something that is not offered (a query behind it). */
export function parseResourceScope(text: string): ResourceScope | undefined {
  if (text.length > scopeLengthMax) return undefined;
  const slash = text.indexOf("/");
  const dot = text.indexOf(".", slash);
  if (slash < 0 || dot < 0) return undefined;
  const context = scopeContexts.find((one) => one === text.slice(0, slash));
  const resource = (["*", ...resources] as const).find((one) => one === text.slice(slash + 1, dot));
  const found = interactionsOf(text.slice(dot + 1));
  if (context === undefined || resource === undefined || found === undefined) return undefined;
  return { context, resource, interactions: found };
}

/** Each letter once and in order, at least one. */
function interactionsOf(ending: string): Interaction[] | undefined {
  const letters = Object.hasOwn(endingsOfVersion1, ending) ? (endingsOfVersion1[ending] ?? "") : ending;
  let from = 0;
  for (const letter of letters) {
    const at = interactions.indexOf(letter, from);
    if (at < 0) return undefined;
    from = at + 1;
  }
  return letters === "" ? undefined : ([...letters] as Interaction[]);
}

/** What each interaction with a resource lets a token do. `d` hides what others still may bring back; nothing destroys: that takes two people. */
const actsOfResource: Readonly<Record<Resource, Partial<Record<Interaction, readonly Act[]>>>> = {
  ImagingStudy: {
    c: ["upload.begin", "instance.store"],
    r: ["study.view", "study.read"],
    u: ["study.correct"],
    d: ["study.reject"],
    s: ["study.search", "study.watch"],
  },
  Patient: { r: ["study.search"], s: ["study.search"] },
  AuditEvent: { r: ["audit.read"], s: ["audit.read"] },
};

const actsOfOwn: Readonly<Record<string, readonly Act[]>> = {
  "dicomweb.read": ["study.search", "study.watch", "study.view", "study.read", "work-item.read"],
  // A rejection note is stored like any other object (IHE RAD TF-2 §4.66): who sends studies also says which of them are wrong.
  "dicomweb.write": ["upload.begin", "instance.store", "study.reject", "work-item.write", "work-item.perform"],
  "audit.read": ["audit.read"],
};

/** Scopes that say something of the person or the launch, and let nothing be done. */
const ofPerson = [
  "openid",
  "profile",
  "fhirUser",
  "launch",
  "launch/patient",
  "offline_access",
  "online_access",
] as const;

/** What discovery shows; of the endings each that has a meaning of its own is one. */
export const scopesShown: readonly string[] = [
  ...ofPerson,
  ...Object.keys(actsOfOwn),
  ...scopeContexts.flatMap((context) => resources.map((resource) => `${context}/${resource}.rs`)),
  ...scopeContexts.map((context) => `${context}/ImagingStudy.cruds`),
];

/** Every scope there is: what is not among them is never given. */
export const scopesOffered: readonly string[] = [
  ...ofPerson,
  ...Object.keys(actsOfOwn),
  ...scopeContexts.flatMap((context) =>
    ["*", ...resources].flatMap((resource) => everyEnding().map((ending) => `${context}/${resource}.${ending}`)),
  ),
];

function everyEnding(): string[] {
  const endings = Array.from({ length: 2 ** interactions.length - 1 }, (_, at) =>
    [...interactions].filter((_letter, bit) => ((at + 1) >> bit) & 1).join(""),
  );
  return [...endings, ...Object.keys(endingsOfVersion1)];
}

/** Whether what is asked for is about one patient, who has to be known. */
export function needsPatient(scopes: Iterable<string>): boolean {
  return [...scopes].some((scope) => scope === "launch/patient" || parseResourceScope(scope)?.context === "patient");
}

/**
 * What a token with these scopes may do at most. `holder`: `system/` is for programs that act for themselves, the others for people.
 * Without a patient, scopes about one let nothing be done.
 */
export function actsOfScopes(scopes: Iterable<string>, holder: "person" | "program", hasPatient: boolean): Act[] {
  const found = new Set<Act>();
  for (const scope of scopes) {
    for (const act of Object.hasOwn(actsOfOwn, scope) ? (actsOfOwn[scope] ?? []) : []) found.add(act);
    const parsed = parseResourceScope(scope);
    if (parsed === undefined || (parsed.context === "system") !== (holder === "program")) continue;
    if (parsed.context === "patient" && !hasPatient) continue;
    const named = parsed.resource === "*" ? resources : [parsed.resource];
    for (const resource of named) {
      for (const interaction of parsed.interactions) {
        for (const act of actsOfResource[resource][interaction] ?? []) found.add(act);
      }
    }
  }
  return [...found];
}
