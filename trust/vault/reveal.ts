import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import type { Gate, Pass, ShownIdentity } from "#trust/access";
import { type AuditLog, studiesMost } from "#trust/audit";
import { type Breaker, createBreaker } from "./breaker.ts";
import type { IdentityValues, SealedIdentity } from "./identity.ts";
import { identityOpeningOf } from "./identity-opening.ts";
import { masked } from "./mask.ts";
import { anotherObject } from "./opener.ts";
import type { OpenedObject, SealedPlace, Vault } from "./vault.ts";

/** What identity is opened for; stands in the audit entry. */
export type Purpose = "search" | "read" | "export" | "summary" | "correction" | "deletion";

/** An identity half (or another object of the identity store) at rest. */
export interface SealedHalf {
  readonly studyToken: string;
  readonly place: SealedPlace;
}

/** Identity that was let through: rows in the order asked, undefined where the study was shredded; halves to be opened. */
export interface Revealed {
  readonly rows: readonly (IdentityValues | undefined)[];
  /** Problem "denied" once the pass has ended, "absent" for what was shredded, "damaged" for what does not prove. */
  openHalf(at: number): Promise<OpenedObject>;
}

/**
 * The one function that opens identity. First the audit entry is on stable storage: who, for what, which studies. Values of rows are
 * masked for an actor that sees no more; halves, which cannot be masked, are refused to such an actor.
 *
 * Rejects with Problem "denied" without a live pass of the gate or for an actor that may see only masked values, "busy" for an actor that
 * the breaker has stopped, with what the log rejects with (nothing was opened then), "damaged" for a row that does not prove.
 */
export type Reveal = (
  pass: Pass,
  sealed: { readonly rows?: readonly SealedIdentity[]; readonly halves?: readonly SealedHalf[] },
  purpose: Purpose,
) => Promise<Revealed>;

export interface RevealParts {
  readonly vault: Vault;
  readonly gate: Gate;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Log;
  /** Studies whose identity one actor may see in a minute before it is stopped. */
  readonly studiesPerMinuteMax: number;
  /** Told of the rows that were shown: returns at once, and keeps none of them. */
  readonly watch?: (shown: ShownIdentity) => void;
}

/** The function, and the breaker for whoever shows and releases the stopped. */
export function createReveal(parts: RevealParts): { readonly reveal: Reveal; readonly breaker: Breaker } {
  const { vault, gate, audit } = parts;
  const opening = identityOpeningOf(vault);
  const breaker = createBreaker(parts);

  const admit = async (pass: Pass, studies: readonly string[], purpose: Purpose): Promise<void> => {
    if (!gate.isLive(pass)) throw denied("access has ended");
    const { actor } = pass;
    // Two people decided on each study of a bulk export, and the gate gives that act to a pair alone: not counted, but logged.
    const isCounted = pass.act !== "archive.export";
    const isStopped = isCounted && (breaker.isStopped(actor) || breaker.take(actor, studies));
    const outcome = isStopped ? "refused" : "done";
    const entry = {
      actor: actor.id,
      act: `identity.${purpose}`,
      ...(pass.purpose && { purpose: pass.purpose }),
      outcome,
    } as const;
    const entries: Promise<number>[] = [];
    for (let at = 0; at < studies.length; at += studiesMost) {
      entries.push(audit.append({ ...entry, studies: studies.slice(at, at + studiesMost) }));
    }
    await Promise.all(entries);
    if (isStopped) throw stopped();
  };
  const openRows = async (pass: Pass, rows: readonly SealedIdentity[], purpose: Purpose) => {
    const opened = await Promise.all(rows.map((row) => opening.row(row).catch(undefinedWhenShredded)));
    const shown = rows.map(({ studyToken }, at) => ({ studyToken, values: opened[at]?.values }));
    if (rows.length > 0) parts.watch?.({ actor: pass.actor, act: pass.act, purpose, rows: shown });
    return pass.sees === "masked" ? opened.map((values) => values && masked(values)) : opened;
  };

  const reveal: Reveal = async (pass, { rows = [], halves = [] }, purpose) => {
    if (halves.length > 0 && pass.sees === "masked") throw denied("not found");
    const studies = new Set([...rows, ...halves].map(({ studyToken }) => studyToken));
    if (studies.size > 0) await admit(pass, [...studies], purpose);
    return {
      rows: await openRows(pass, rows, purpose),
      async openHalf(at) {
        const half = halves[at];
        if (half === undefined) throw new RangeError("no such half was asked for");
        if (!gate.isLive(pass)) throw denied("access has ended");
        const object = await opening.object(half.place);
        // What was logged is what is opened, whoever wrote the place.
        if (object.studyToken !== half.studyToken) throw anotherObject();
        return object;
      },
    };
  };
  return { reveal, breaker };
}

function undefinedWhenShredded(error: unknown): undefined {
  if (error instanceof Problem && error.code === "absent") return undefined;
  throw error;
}

function denied(message: string): Problem {
  return new Problem("denied", message, { remedy: "sign in as someone who has access" });
}

function stopped(): Problem {
  return new Problem("busy", "too many patients were looked at in a minute: this account is stopped", {
    remedy: "an operator releases it with `leadglass release`",
  });
}
