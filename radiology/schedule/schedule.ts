import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { ScheduledStepView, ScheduledView } from "#formats/api";
import type { DataSet, DicomJson } from "#formats/dicom";
import { type Actor, covers, type Gate } from "#trust/access";
import type { Records } from "#trust/vault";
import { type Amendments, asKnown, createAmendments, isOf, type PlannedOrder } from "./amendments.ts";
import { key, textAt } from "./attributes.ts";
import { byStart, type HeldStep, type HeldSteps, openHeldSteps } from "./held-steps.ts";
import { createMirroring, type Mirroring } from "./mirroring.ts";
import type { TellOrders } from "./order-turns.ts";
import { createPerformedSteps, type PerformedSteps } from "./performed.ts";
import { contentOf, factsOf, identityOf, isOver, listed, type StepContent, stepsIn } from "./scheduled-step.ts";
import { worklistQuery } from "./worklist-query.ts";

/** What is to be done on which machine, and what is done of it. What plans a facility's work fills it (`put`). */
export interface Schedule extends Amendments, Mirroring {
  readonly performed: PerformedSteps;
  /**
   * The steps that a console asks for and may see, and that are not over, in the order in which they are due (PS3.4 §K.4.1). Problem `invalid`
   * for an identifier that is none.
   */
  find(actor: Actor, identifier: DataSet): AsyncIterable<FoundStep>;
  /**
   * Schedules the steps of a worklist item. One with the same Study Instance UID and Scheduled Procedure Step ID is replaced; what was performed
   * of it stays. It is read within the act, so that what cannot be read is in the log too. `facility` is the token of the one in which they are done; empty: in none.
   */
  put(actor: Actor, item: () => DataSet, facility: string): Promise<ScheduledView>;
  /** The same for an order of a system outside; where it is known by one of its numbers, that is what is replaced. Problem `conflict` when the step is known of another patient or in another facility. */
  putOrder(actor: Actor, item: () => DataSet, order: PlannedOrder): Promise<ScheduledView>;
  /** A step, or the first of a study, as systems outside are told of it: act `step.announce`. Undefined when it is not there any more. */
  announced(
    actor: Actor,
    which: { readonly token: string } | { readonly studyUid: string },
  ): Promise<AnnouncedStep | undefined>;
  /** Those that the actor may see, in the order in which they are due. */
  list(actor: Actor): Promise<ScheduledStepView[]>;
  /** Problem `absent` when there is no such step. */
  remove(actor: Actor, token: string): Promise<void>;
}

/** A scheduled step with all that is known of its order. */
export interface AnnouncedStep {
  readonly attributes: DicomJson;
  /** Token of the facility that it is done in; empty: in none. */
  readonly facility: string;
}

export interface FoundStep {
  readonly attributes: DicomJson;
  /** A key of the identifier was not matched by. */
  readonly keysIgnored: boolean;
}

export interface ScheduleParts {
  readonly records: Records;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly random: Random;
  /** Told what becomes of orders. */
  readonly telling?: TellOrders;
}

/** Steps looked at in a row before others have their turn. */
const inARow = 500;

export function createSchedule({ records, gate, clock, random, telling }: ScheduleParts): Schedule {
  let opening: Promise<HeldSteps> | undefined;
  /** Opened by the first who needs it: a start does without, and one that failed is tried again. */
  const held = (): Promise<HeldSteps> => {
    opening ??= openHeldSteps(records, clock, telling).catch((error) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  const put = (actor: Actor, item: () => DataSet, facility: string, order?: PlannedOrder): Promise<ScheduledView> =>
    gate.pass(actor, "worklist.write", undefined, async () => {
      const planned = stepsIn(item());
      const steps = await held();
      return steps.inTurn(async () => {
        const counts = { added: 0, changed: 0, unchanged: 0 };
        const contents = new Map<string, StepContent>();
        for (const each of planned) {
          const attributes = order === undefined ? each : asKnown(each, order, steps);
          const token = records.idOf("scheduled-step", identityOf(attributes));
          const known = steps.get(token)?.content;
          if (order !== undefined && known !== undefined) requireSame(known, attributes, facility);
          const content = contentOf(attributes, facility, known?.performed);
          if (known !== undefined && isSame(known, content)) counts.unchanged++;
          else {
            counts[known === undefined ? "added" : "changed"]++;
            contents.set(token, content);
          }
        }
        if (contents.size > 0) await steps.put(contents, actor);
        return counts;
      });
    });

  return {
    ...createAmendments({ held, gate }),
    ...createMirroring({ records, gate, held, put, random }),
    performed: createPerformedSteps({ records, held, gate, now: clock.now, random }),
    async *find(actor, identifier) {
      const query = worklistQuery(identifier);
      const { keysIgnored } = query;
      const matching = await gate.pass(actor, "worklist.read", undefined, async ({ reach }) => {
        const steps = (await held()).having(query.terms);
        const found: HeldStep[] = [];
        for (const [at, step] of steps.entries()) {
          if (at % inARow === inARow - 1) await new Promise((resolve) => setImmediate(resolve));
          const { content } = step;
          if (!covers(reach, factsOf(content)) || isOver(content)) continue;
          if (query.matches(content.attributes)) found.push(step);
        }
        return found.sort(byStart);
      });
      for (const { content } of matching) yield { attributes: query.answer(content.attributes), keysIgnored };
    },
    put: (actor, item, facility) => put(actor, item, facility),
    putOrder: (actor, item, order) => put(actor, item, order.facility, order),
    announced: (actor, which) =>
      gate.pass(actor, "step.announce", "token" in which ? { kind: "step", id: which.token } : undefined, async () => {
        const steps = await held();
        const [step] =
          "token" in which ? [steps.get(which.token)] : steps.having([[`${key.studyUid} ${which.studyUid}`]]);
        return step && { attributes: step.content.attributes, facility: step.content.facility };
      }),
    list: (actor) =>
      gate.pass(actor, "worklist.read", undefined, async ({ reach }) => {
        const all = (await held()).all();
        return all
          .filter(({ content }) => covers(reach, factsOf(content)))
          .sort(byStart)
          .map(listed);
      }),
    remove: (actor, token) =>
      gate.pass(actor, "worklist.write", { kind: "step", id: token }, async () => {
        const steps = await held();
        if (!(await steps.inTurn(() => steps.remove(token)))) {
          throw new Problem("absent", "no such step", { remedy: "leadglass worklist list shows those there are" });
        }
      }),
  };
}

/** A number that is used again for somebody else, or elsewhere, must not move what is planned under it. */
function requireSame(known: StepContent, attributes: DicomJson, facility: string): void {
  const patient = { PatientID: textAt(attributes, key.patientId), IssuerOfPatientID: textAt(attributes, key.issuer) };
  if (!isOf(known, patient)) throw new Problem("conflict", "an order of that number is of another patient");
  if (known.facility !== facility) throw new Problem("conflict", "an order of that number is of another facility");
}

const isSame = (a: StepContent, b: StepContent) => JSON.stringify(a) === JSON.stringify(b);
