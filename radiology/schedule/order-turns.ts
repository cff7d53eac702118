import type { OrderStatus } from "#formats/hl7";
import type { Actor } from "#trust/access";
import type { RecordChange } from "#trust/vault";
import { key, stepOf, textAt } from "./attributes.ts";
import { isOver, type ScheduledStep, type StepContent, statusOf } from "./scheduled-step.ts";

/** What became of an order: it stands otherwise than before, or is planned for another time. */
export interface OrderTurn {
  /** Of one of its steps. */
  readonly token: string;
  readonly status: OrderStatus;
  /** Token of the facility that it is done in; empty: in none. */
  readonly facility: string;
}

/** Port: who tells systems outside what becomes of orders. */
export interface TellOrders {
  /** What belongs to the same change, so that it is told although the process ends. `by` knows already. */
  changesFor(turns: readonly OrderTurn[], by: Actor): Promise<readonly RecordChange[]>;
  /** They rest now. */
  kept(): void;
}

/** Finds the steps of an order as they are held. */
interface StepFinder {
  having(terms: readonly (readonly string[])[]): ScheduledStep[];
}

/**
 * What becomes of orders when these steps are put: of those that somebody numbered, and that are known. An order of several steps is done when all of
 * them are.
 */
export function orderTurns(steps: StepFinder, contents: ReadonlyMap<string, StepContent>): OrderTurn[] {
  const turns: OrderTurn[] = [];
  const seen = new Set<string>();
  for (const [token, content] of contents) {
    const term = numberTerm(content);
    if (term === undefined || seen.has(identityOf(content))) continue;
    seen.add(identityOf(content));
    const before = steps.having([[term]]).filter((step) => identityOf(step.content) === identityOf(content));
    if (before.length === 0) continue;
    const after = new Map(before.map((step) => [step.token, step.content]));
    for (const [other, changed] of contents) if (identityOf(changed) === identityOf(content)) after.set(other, changed);
    const status = orderStatus([...after.values()]);
    const wasMoved = before.some((step) => startOf(after.get(step.token) ?? step.content) !== startOf(step.content));
    const isTold = status !== orderStatus(before.map((step) => step.content)) || (wasMoved && status === "scheduled");
    if (isTold) turns.push({ token, status, facility: content.facility });
  }
  return turns;
}

/** Both numbers, the patient and the place: others may number their orders alike. */
function identityOf({ attributes, facility }: StepContent): string {
  const said = [key.placerNumber, key.fillerNumber, key.patientId, key.issuer].map((at) => textAt(attributes, at));
  return [facility, ...said].join("\n");
}

function numberTerm({ attributes }: StepContent): string | undefined {
  const at = [key.placerNumber, key.fillerNumber].find((number) => textAt(attributes, number) !== "");
  return at && `${at} ${textAt(attributes, at)}`;
}

function startOf({ attributes }: StepContent): string {
  const step = stepOf(attributes);
  return textAt(step, key.startDate) + textAt(step, key.startTime);
}

function orderStatus(contents: readonly StepContent[]): OrderStatus {
  const statuses = contents.map(statusOf);
  const isAny = (status: string) => statuses.includes(status);
  if (!contents.every(isOver)) return isAny("STARTED") || isAny("COMPLETED") ? "in-progress" : "scheduled";
  if (isAny("COMPLETED") || isAny("DEPARTED")) return "completed";
  return isAny("DISCONTINUED") ? "discontinued" : "canceled";
}
