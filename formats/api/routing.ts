/*
 * Rules by which instances go on when they have come (docs/operating.md, Routing).
 *
 * | method and path                | |
 * |---|---|
 * | GET    /api/routing            | → RoutingView |
 * | POST   /api/routing/rules      | RoutingRuleRequest → RoutingRuleView, behind those that there are |
 * | PUT    /api/routing/rules/:id  | RoutingRuleRequest → RoutingRuleView |
 * | DELETE /api/routing/rules/:id  | 204 |
 * | PUT    /api/routing/order      | { ids } → RoutingView |
 * | POST   /api/routing/try        | RoutingTrial → RoutingTrialView, nothing is done |
 * | GET    /api/routing/try/:study | → RoutingTrialView[], one for each series of the study |
 * | DELETE /api/routing/held/:id   | 204: it is not shown any more |
 */

/** What of an instance a rule may look at, as texts. */
export const routingTexts = [
  "callingAe",
  "calledAe",
  "machine",
  "modality",
  "bodyPart",
  "sopClass",
  "stationName",
  "description",
] as const;
export type RoutingText = (typeof routingTexts)[number];

/** One of the texts, without case and accents, `*` for any run of characters and `?` for any one; with `not` none of them. */
export interface TextCondition {
  readonly is: readonly string[];
  readonly not?: boolean;
}

/** Between two minutes of the day, the second left out, over midnight where it is not the later; weekdays from 0, Sunday, on; none: all. */
export interface HoursCondition {
  readonly from: number;
  readonly to: number;
  readonly weekdays: readonly number[];
  readonly not?: boolean;
}

/** All that are given must hold. */
export interface RoutingConditions extends Partial<Readonly<Record<RoutingText, TextCondition>>> {
  readonly hours?: HoursCondition;
}

export const coercionKinds = ["set", "remove", "copy", "prefix", "map", "rewrite"] as const;

/** One change of an attribute of the top level, by its keyword (PS3.6). */
export type CoercionView =
  | { readonly does: "set"; readonly attribute: string; readonly value: string }
  | { readonly does: "remove"; readonly attribute: string }
  /** Makes `attribute` what `from` says. */
  | { readonly does: "copy"; readonly attribute: string; readonly from: string }
  | { readonly does: "prefix"; readonly attribute: string; readonly value: string }
  /** What stands in the table becomes what stands beside it; anything else stays. */
  | { readonly does: "map"; readonly attribute: string; readonly table: readonly (readonly [string, string])[] }
  /** What fits the pattern as a whole becomes `value`, in which each `*` stands for what one of the pattern found, in their order. */
  | { readonly does: "rewrite"; readonly attribute: string; readonly pattern: string; readonly value: string };

/** Options of the Basic Application Level Confidentiality Profile (PS3.15 §E.3). */
export const deidentifyOptions = [
  "retain-safe-private",
  "retain-uids",
  "retain-device",
  "retain-institution",
  "retain-patient-characteristics",
  "retain-full-dates",
  "retain-modified-dates",
  "clean-descriptors",
] as const;
export type DeidentifyOption = (typeof deidentifyOptions)[number];

export interface DeidentifyView {
  readonly options: readonly DeidentifyOption[];
  /** The same patient has other pseudonyms in another project: two who receive cannot compare. */
  readonly project?: string;
}

/** What is changed on the way out: first what identifies goes, then the coercions are made in what is left. */
export interface ChangesView {
  readonly deidentify?: DeidentifyView;
  readonly coercions: readonly CoercionView[];
}

export interface RoutingRuleRequest {
  readonly name: string;
  readonly isPaused: boolean;
  readonly when: RoutingConditions;
  /** To the cloud (of an edge). */
  readonly cloud: boolean;
  /** Is kept here. */
  readonly keep: boolean;
  /** Ids of machines that take images. */
  readonly machines: readonly string[];
  readonly changes?: ChangesView;
}

/** What a rule has done since it was made. */
export interface RoutingCounts {
  /** Instances that it decided about. */
  readonly matched: number;
  /** That machines have taken. */
  readonly sent: number;
  readonly held: number;
  /** 0: never. */
  readonly lastAt: number;
}

export interface RoutingRuleView extends RoutingRuleRequest {
  readonly id: string;
  readonly counts: RoutingCounts;
}

/**
 * - `pixels`   what the picture shows may say whose it is
 * - `document` a document within says what it likes
 * - `value`    a value that a rule makes does not fit its attribute
 * - `again`    a rule here has changed it before, and more often than one does
 * - `queue`    too much waits to be sent there
 */
export type HeldReason = "pixels" | "document" | "value" | "again" | "queue";

/** Instances of a study that a rule did not send. */
export interface HeldView {
  readonly id: string;
  readonly rule: string;
  /** Id of the machine that they were to go to. */
  readonly to: string;
  /** Token of the study. */
  readonly study: string;
  readonly reason: HeldReason;
  readonly count: number;
  readonly at: number;
}

export interface RoutingView {
  /** In the order in which they are looked at: the first that fits decides. */
  readonly rules: readonly RoutingRuleView[];
  /** The newest first. */
  readonly held: readonly HeldView[];
  /** Instances that no rule fitted, since the server began. */
  readonly unmatched: number;
  /** There is a cloud for them to go to. */
  readonly hasCloud: boolean;
}

export type RoutingTrial = Partial<Readonly<Record<RoutingText, string>>> & {
  /** Epoch milliseconds; absent: now. */
  readonly at?: number;
};

export interface RoutingTrialView {
  /** What a series is called, where one was asked about. */
  readonly series?: string;
  /** Absent: no rule fits, and what is usual is done. */
  readonly rule?: { readonly id: string; readonly name: string };
  readonly cloud: boolean;
  readonly keep: boolean;
  readonly machines: readonly string[];
  readonly isChanged: boolean;
}
