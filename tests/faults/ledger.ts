/** What is sent: one copy of an instance, known by its UID and what it holds. */
export interface Copy {
  readonly studyUid: string;
  readonly sopUid: string;
  /** SHA-256 of the data set. */
  readonly sha256: string;
  readonly dataSet: Buffer;
  /** A data set that breaks the rules, or that its sender gives up. */
  readonly isRefused: boolean;
}

export interface Claims {
  store: { readonly copy: Copy };
  /** What a study says from then on, by keyword. */
  correct: { readonly studyUid: string; readonly values: Readonly<Record<string, string>> };
  remove: { readonly studyUid: string };
  rotate: { readonly what: "tenant" | "studies" };
  root: { readonly passphrase: string };
  kit: { shares?: readonly string[] };
  compact: Record<never, never>;
  backup: Record<never, never>;
}

/** One act of a workload: from when on it may have left something, and from when on somebody was told that it is done. */
export type Act = {
  [Kind in keyof Claims]: {
    readonly kind: Kind;
    readonly begunAt: number;
    endedAt: number;
    /** How it ended: undefined until then. */
    outcome?: "done" | "failed";
    error?: unknown;
  } & Claims[Kind];
}[keyof Claims];

export type ActOf<Kind extends keyof Claims> = Extract<Act, { kind: Kind }>;

/** What was asked for and what was acknowledged, by the length of the trace at that moment. */
export interface Ledger {
  readonly acts: readonly Act[];
  /** Does the act and notes how it went; never rejects. Whether it was acknowledged. */
  doing(claim: Claim, work: () => Promise<unknown>): Promise<boolean>;
}

export type Claim = { [Kind in keyof Claims]: { readonly kind: Kind } & Claims[Kind] }[keyof Claims];

export function createLedger(position: () => number): Ledger {
  const acts: Act[] = [];
  return {
    acts,
    async doing(claim, work) {
      const act = Object.assign(claim, { begunAt: position(), endedAt: Number.POSITIVE_INFINITY }) as Act;
      acts.push(act);
      try {
        await work();
        act.outcome = "done";
      } catch (error) {
        act.outcome = "failed";
        act.error = error;
      }
      act.endedAt = position();
      return act.outcome === "done";
    },
  };
}

/** How an act stands behind so many steps of the trace; undefined before it has begun. */
export function standing(act: Act, steps: number): "under way" | "done" | "failed" | undefined {
  if (act.begunAt > steps) return undefined;
  return act.endedAt <= steps ? act.outcome : "under way";
}
