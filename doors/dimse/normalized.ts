import type { DataSet } from "#formats/dicom";
import { type CommandSet, commandField } from "./command.ts";
import { withDataSet, writeDataSetFor } from "./data-sets.ts";
import { hasUidForm } from "./negotiation.ts";
import type { NormalizedRequest } from "./normalized-ports.ts";
import { type DimseRequest, type Exchange, refusing } from "./requests.ts";
import type { ServiceContext } from "./service-context.ts";
import { errorComment, type Outcome, status } from "./status.ts";

type Operation = NormalizedRequest["operation"];

/** PS3.7 §10.1. N-DELETE has no service here. */
export const normalizedOperations: ReadonlyMap<number, Operation> = new Map([
  [commandField.nEventReportRq, "event-report"],
  [commandField.nGetRq, "get"],
  [commandField.nSetRq, "set"],
  [commandField.nActionRq, "action"],
  [commandField.nCreateRq, "create"],
]);

/** One N- service: the request to the service of its SOP class, what that answers to the peer. */
export function normalized(context: ServiceContext, request: DimseRequest, operation: Operation): Exchange {
  const { command } = request;
  const { transferSyntaxUid } = request.context;
  const services = context.services.normalized;
  const service = services?.get(request.context.sopClassUid);
  if (!service) return refusing(request, { Status: status.unrecognizedOperation });
  const sopClassUid = command.RequestedSOPClassUID ?? command.AffectedSOPClassUID ?? "";
  const sopInstanceUid = command.RequestedSOPInstanceUID ?? command.AffectedSOPInstanceUID;
  // One service may stand for several SOP classes, as of UPS: requests name one of them whatever the context's (PS3.4 §CC.2.1).
  const fault = services?.get(sopClassUid) === service ? faultOf(command, operation, sopInstanceUid) : wrongClass;
  if (fault) return refusing(request, fault);
  const typeId = operation === "event-report" ? command.EventTypeID : command.ActionTypeID;
  const attributes = command.AttributeIdentifierList ?? [];

  return withDataSet(request, {
    bytesMax: context.limits.attributesBytesMax,
    family: operation === "create" ? "create" : "normalized",
    doing: `performing an N-${operation.toUpperCase()}`,
    log: context.log,
    async work(dataSet: DataSet | undefined) {
      const asked = { operation, sopClassUid, sopInstanceUid, typeId, attributes, dataSet };
      const answer = await service.perform(asked);
      const sets = dataSet?.characterSets() ?? [];
      request.respond(
        { Status: answer.status ?? status.success },
        {
          AffectedSOPClassUID: sopClassUid,
          AffectedSOPInstanceUID: answer.sopInstanceUid ?? sopInstanceUid,
          EventTypeID: operation === "event-report" ? typeId : undefined,
          ActionTypeID: operation === "action" ? typeId : undefined,
        },
        answer.dataSet && writeDataSetFor(answer.dataSet, transferSyntaxUid, sets),
      );
    },
  });
}

const wrongClass: Outcome = {
  Status: status.noSuchSopClass,
  ErrorComment: errorComment("the SOP class is not one of the context"),
};

/** What is wrong with the command set, before its data set (PS3.7 Tables 10.1-1 to 10.1-5). */
function faultOf(command: CommandSet, operation: Operation, sopInstanceUid: string | undefined): Outcome | undefined {
  const named = sopInstanceUid !== undefined && sopInstanceUid !== "";
  if (named ? !hasUidForm(sopInstanceUid) : operation !== "create") return { Status: status.invalidInstance };
  if (operation === "action" && command.ActionTypeID === undefined) return { Status: status.noSuchActionType };
  if (operation === "event-report" && command.EventTypeID === undefined) return { Status: status.noSuchEventType };
  return undefined;
}
