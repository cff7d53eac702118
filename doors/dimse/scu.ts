import type { Clock, Timer } from "#base/clock";
import { type Log, silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { type CommandSet, commandField, noDataSet } from "./command.ts";
import type { DataSetSource } from "./fragments.ts";
import { leadglass } from "./implementation.ts";
import { createMessages, type Messages } from "./messages.ts";
import type {
  AssociationProposal,
  DimseOutcome,
  OutboundAssociation,
  SenderOptions,
  StoreInstance,
} from "./outbound.ts";
import {
  type AssociateAccept,
  type AssociateReject,
  dicomApplicationContext,
  type PresentationContext,
  verificationSopClass,
} from "./pdu.ts";
import { type Connection, createUpperLayer, type Ending, type UpperLayer } from "./upper-layer.ts";

/** Asks for an association. Rejects with `denied` or `busy` when it is refused, `unavailable` when nobody answers. */
export async function openAssociation(
  connection: Connection,
  proposal: AssociationProposal,
  options: SenderOptions,
): Promise<OutboundAssociation> {
  const { clock, log = silentLog, pduBytesMax = 131_072, associateMs = 30_000, dimseMs = 600_000 } = options;
  const answered = Promise.withResolvers<{ contexts: PresentationContext[]; messages: Messages }>();
  const over = Promise.withResolvers<Ending>();
  let messages: Messages | undefined;
  const layer = createUpperLayer({
    connection,
    role: "requestor",
    clock,
    log,
    artimMs: 10_000,
    reader: { dataPduBytesMax: pduBytesMax + 1024, associatePduBytesMax: 262_144 },
    user: {
      associateIndicated: () => {},
      associateRefused: () => {},
      associateConfirmed(answer) {
        if (answer.type === "associate-rj") return answered.reject(refused(answer));
        const contexts = acceptedOf(proposal, answer);
        messages = messagesFor(layer, contexts, answer, log);
        answered.resolve({ contexts, messages });
      },
      data: (contextId, command, last, bytes) => messages?.data(contextId, command, last, bytes),
      releaseIndicated: () => void layer.answerRelease(),
      ended(how) {
        messages?.end();
        answered.reject(new Problem("unavailable", "the peer ended the connection instead of answering"));
        over.resolve(how);
      },
      closed: () => {},
    },
  });
  const timer = clock.after(associateMs, () => {
    answered.reject(new Problem("unavailable", "the peer did not answer the association request in time"));
    if (!layer.abort()) layer.destroy();
  });
  layer.associate(requestOf(proposal, pduBytesMax));
  const { contexts, messages: own } = await answered.promise.finally(() => timer.stop());
  const session = { messages: own, clock, dimseMs, abort: () => void layer.abort() };
  return {
    contexts,
    echo: () => exchange(session, find(contexts, verificationSopClass), echoCommand),
    store: async (instance) => {
      const context = find(contexts, instance.sopClassUid, instance.transferSyntaxUid);
      return exchange(session, context, storeCommand(instance), instance.dataSet);
    },
    async release() {
      const late = clock.after(associateMs, session.abort);
      layer.release();
      await over.promise.finally(() => late.stop());
    },
    abort: session.abort,
  };
}

function messagesFor(
  layer: UpperLayer,
  contexts: readonly PresentationContext[],
  answer: AssociateAccept,
  log: Log,
): Messages {
  return createMessages({
    layer,
    contexts: new Map(contexts.map((context) => [context.id, context])),
    peerPduBytesMax: answer.user.pduBytesMax,
    handlers: new Map(),
    commandBytesMax: 65_536,
    log,
  });
}

interface Session {
  readonly messages: Messages;
  readonly clock: Clock;
  readonly dimseMs: number;
  abort(): void;
}

async function exchange(
  { messages, clock, dimseMs, abort }: Session,
  context: PresentationContext,
  command: CommandSet,
  dataSet?: DataSetSource,
): Promise<DimseOutcome> {
  const beganMs = clock.monotonicMs();
  const timer: Timer = clock.after(dimseMs, abort);
  try {
    const response = await messages.request(context.id, command, dataSet);
    const { Status = 0x0110, ErrorComment } = response;
    return { status: Status, errorComment: ErrorComment, ms: clock.monotonicMs() - beganMs };
  } catch (error) {
    throw new Problem("unavailable", "the association was lost before the response", { cause: error });
  } finally {
    timer.stop();
  }
}

const echoCommand: CommandSet = {
  CommandField: commandField.cEchoRq,
  CommandDataSetType: noDataSet,
  AffectedSOPClassUID: verificationSopClass,
};

function storeCommand(instance: StoreInstance): CommandSet {
  return {
    CommandField: commandField.cStoreRq,
    CommandDataSetType: 0x0001,
    AffectedSOPClassUID: instance.sopClassUid,
    AffectedSOPInstanceUID: instance.sopInstanceUid,
    Priority: 0,
  };
}

function find(contexts: readonly PresentationContext[], sopClassUid: string, transferSyntaxUid?: string) {
  const found = contexts.find(
    (context) =>
      context.sopClassUid === sopClassUid &&
      (transferSyntaxUid === undefined || context.transferSyntaxUid === transferSyntaxUid),
  );
  if (!found) throw new Problem("unsupported", "the peer accepted no presentation context for this object");
  return found;
}

function requestOf(proposal: AssociationProposal, pduBytesMax: number) {
  const { callingAe, calledAe, contexts, identity } = proposal;
  if (contexts.length > 128) throw new Problem("invalid", "an association has at most 128 presentation contexts");
  return {
    type: "associate-rq" as const,
    protocolVersion: 1,
    calledAe,
    callingAe,
    applicationContext: dicomApplicationContext,
    contexts: contexts.map(({ sopClassUid, transferSyntaxUids }, i) => ({
      id: 2 * i + 1,
      abstractSyntax: sopClassUid,
      transferSyntaxes: transferSyntaxUids,
    })),
    user: {
      pduBytesMax,
      implementationClassUid: leadglass.classUid,
      implementationVersion: leadglass.version,
      ...(identity ? { identity } : {}),
    },
  };
}

function acceptedOf(proposal: AssociationProposal, answer: AssociateAccept): PresentationContext[] {
  return answer.contexts.flatMap(({ id, result, transferSyntax }) => {
    const proposed = proposal.contexts[(id - 1) / 2];
    if (result !== 0 || !proposed?.transferSyntaxUids.includes(transferSyntax)) return [];
    return [{ id, sopClassUid: proposed.sopClassUid, transferSyntaxUid: transferSyntax }];
  });
}

function refused({ result, source, reason }: AssociateReject): Problem {
  const code = result === 2 ? "busy" : "denied";
  return new Problem(code, `the peer refused the association (result ${result}, source ${source}, reason ${reason})`);
}
