import { isProblem, Problem } from "#base/problem";
import { type DataSet, fromDicomJson } from "#formats/dicom";
import type { PerformedSteps, WithAttributeFault } from "#radiology/schedule";
import type { Actor } from "#trust/access";
import type { NormalizedAnswer, NormalizedRequest, NormalizedService } from "./normalized-ports.ts";
import type { WithDimseDetail } from "./ports.ts";
import { status } from "./status.ts";

const performedStep = "1.2.840.10008.3.1.2.3.3";
const performedStepRetrieve = "1.2.840.10008.3.1.2.3.4";

/** PS3.4 Table F.7.2-2: "Performed Procedure Step Object may no longer be updated". */
const noLongerUpdated = 0xa710;

interface PerformedParts {
  readonly performed: PerformedSteps;
  readonly actor: Actor;
  /** Token of the facility that the machine stands in. */
  readonly facility: string;
}

/** N-CREATE, N-SET and N-GET of performed procedure steps for one machine (PS3.4 §F.7, §F.8), by SOP class. */
export function performedServices(parts: PerformedParts): ReadonlyMap<string, NormalizedService> {
  return new Map([
    [performedStep, { perform: (request) => update(parts, request).catch(refuse) }],
    [performedStepRetrieve, { perform: (request) => retrieve(parts, request) }],
  ]);
}

async function update(parts: PerformedParts, request: NormalizedRequest): Promise<NormalizedAnswer> {
  const { performed, actor, facility } = parts;
  const { operation, sopInstanceUid } = request;
  if (operation === "create") {
    return { sopInstanceUid: await performed.begin(actor, facility, sopInstanceUid || undefined, given(request)) };
  }
  if (operation !== "set") throw new Problem("unsupported", "performed steps are created and set");
  const change = given(request);
  await performed.change(actor, sopInstanceUid ?? "", change).catch((error: unknown) => {
    if (isProblem(error, "conflict")) Object.assign(error, { errorId: noLongerUpdated } satisfies WithDimseDetail);
    throw error;
  });
  return {};
}

async function retrieve(parts: PerformedParts, request: NormalizedRequest): Promise<NormalizedAnswer> {
  const { operation, sopInstanceUid = "", attributes } = request;
  if (operation !== "get") throw new Problem("unsupported", "performed steps are only read by this SOP class");
  return { dataSet: fromDicomJson(await parts.performed.read(parts.actor, sopInstanceUid, attributes)) };
}

function given({ dataSet }: NormalizedRequest): DataSet {
  if (dataSet !== undefined) return dataSet;
  const detail: WithAttributeFault = { fault: "missing" };
  throw Object.assign(new Problem("invalid", "the request has no attributes"), detail);
}

function refuse(error: unknown): never {
  const { fault } = error as WithAttributeFault;
  if (fault === "missing") throw Object.assign(error as Problem, { dimseStatus: status.missingAttribute });
  if (fault === "empty") throw Object.assign(error as Problem, { dimseStatus: status.missingAttributeValue });
  throw error;
}
