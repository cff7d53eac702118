import { type Log, silentLog } from "#base/log";
import { Problem } from "#base/problem";
import type { Agreement } from "./agreement.ts";
import { leadglass } from "./implementation.ts";
import { createMessages, type Messages } from "./messages.ts";
import type { AssociationProposal, OutboundAssociation, PeerServices, SenderOptions } from "./outbound.ts";
import {
  type AssociateAccept,
  type AssociateReject,
  type AssociateRequest,
  dicomApplicationContext,
  type PresentationContext,
} from "./pdu.ts";
import { encodeExtensions, noExtensions } from "./query-extensions.ts";
import { requestsOn } from "./scu-requests.ts";
import { handlersFor } from "./services.ts";
import type { Receiving, StoreRequest } from "./store-ports.ts";
import { type Connection, createUpperLayer, type Ending, type UpperLayer } from "./upper-layer.ts";

/** What the messages of an association of ours are bounded by. */
const bounds = {
  commandBytesMax: 65_536,
  objectBytesMax: 16 * 2 ** 30,
  identifierBytesMax: 2 ** 20,
  attributesBytesMax: 4 * 2 ** 20,
};

/** Asks for an association. Rejects with `denied` or `busy` when it is refused, `unavailable` when nobody answers. */
export async function openAssociation(
  connection: Connection,
  proposal: AssociationProposal,
  options: SenderOptions,
): Promise<OutboundAssociation> {
  const { clock, log = silentLog, pduBytesMax = 131_072, associateMs = 30_000 } = options;
  const request = requestOf(proposal, pduBytesMax);
  const answered = Promise.withResolvers<Opened>();
  const ended = Promise.withResolvers<Ending>();
  let isOver = false;
  let opened: Opened | undefined;
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
        opened = open(layer, request, answer, options, log);
        answered.resolve(opened);
      },
      data: (contextId, command, last, bytes) => opened?.messages.data(contextId, command, last, bytes),
      releaseIndicated: () => void layer.answerRelease(),
      ended(how) {
        isOver = true;
        opened?.messages.end();
        answered.reject(new Problem("unavailable", "the peer ended the connection instead of answering"));
        ended.resolve(how);
      },
      closed: () => {},
    },
  });
  const timer = clock.after(associateMs, () => {
    answered.reject(new Problem("unavailable", "the peer did not answer the association request in time"));
    if (!layer.abort()) layer.destroy();
  });
  layer.associate(request);
  const { contexts, messages, window, taking, identityVerified } = await answered.promise.finally(() => timer.stop());
  const { get, ...requests } = requestsOn({ messages, contexts, clock });
  const abort = () => void layer.abort();
  return {
    ...requests,
    contexts,
    operationsMax: window.invoked,
    identityVerified,
    isOver: () => isOver,
    async get(sopClassUid, identifier, receive, asked) {
      if (taking.now) throw new Problem("conflict", "a C-GET is under way on this association");
      taking.now = receive;
      return get(sopClassUid, identifier, asked).finally(() => {
        taking.now = undefined;
      });
    },
    async release() {
      const late = clock.after(associateMs, abort);
      layer.release();
      await ended.promise.finally(() => late.stop());
    },
    abort,
  };
}

/** What takes the instances of a C-GET that is under way. */
interface Taking {
  now?: ((request: StoreRequest) => Receiving) | undefined;
}

interface Opened {
  readonly contexts: readonly PresentationContext[];
  readonly window: Agreement["window"];
  readonly messages: Messages;
  readonly taking: Taking;
  readonly identityVerified: boolean;
}

function open(
  layer: UpperLayer,
  request: AssociateRequest,
  answer: AssociateAccept,
  { clock, serves = {}, dimseMs = 600_000 }: SenderOptions,
  log: Log,
): Opened {
  const contexts = acceptedOf(request, answer);
  const window = windowOf(request, answer);
  const taking: Taking = {};
  const handlers = handlersFor({
    services: servicesOf(serves, taking),
    agreement: { window, extensionsOf: () => noExtensions, sendable: [] },
    callingAe: request.calledAe,
    associationId: "",
    counts: { echoes: 0, stored: 0, refused: 0, bytes: 0 },
    limits: bounds,
    clock,
    log,
  });
  const messages = createMessages({
    layer,
    contexts: new Map(contexts.map((context) => [context.id, context])),
    peerPduBytesMax: answer.user.pduBytesMax,
    handlers,
    commandBytesMax: bounds.commandBytesMax,
    responseBytesMax: bounds.attributesBytesMax,
    window,
    responseMs: dimseMs,
    timedOut: () => void layer.abort(),
    clock,
    log,
  });
  return { contexts, window, messages, taking, identityVerified: answer.user.identityReply !== undefined };
}

function servicesOf({ store, normalized }: PeerServices, taking: Taking) {
  return {
    echo: async () => {},
    store(request: StoreRequest) {
      const receive = taking.now ?? store;
      if (!receive) throw new Problem("unsupported", "nothing was asked for on this association");
      return receive(request);
    },
    ...(normalized ? { normalized } : {}),
  };
}

function requestOf(proposal: AssociationProposal, pduBytesMax: number): AssociateRequest {
  const { callingAe, calledAe, contexts, extensions, operationsMax = 1, identity } = proposal;
  if (contexts.length > 128) throw new Problem("invalid", "an association has at most 128 presentation contexts");
  const roles = new Map(contexts.flatMap(({ sopClassUid, role }) => (role ? [[sopClassUid, role] as const] : [])));
  return {
    type: "associate-rq",
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
      ...(operationsMax === 1 ? {} : { asyncWindow: { invoked: operationsMax, performed: 1 } }),
      roles: [...roles].map(([sopClassUid, role]) => ({ sopClassUid, scu: role === "both", scp: true })),
      extended: [...(extensions ?? [])].map(([sopClassUid, wanted]) => ({
        sopClassUid,
        information: encodeExtensions(wanted, 4),
      })),
      ...(identity ? { identity } : {}),
    },
  };
}

function acceptedOf(request: AssociateRequest, answer: AssociateAccept): PresentationContext[] {
  return answer.contexts.flatMap(({ id, result, transferSyntax }) => {
    const proposed = request.contexts[(id - 1) / 2];
    if (result !== 0 || !proposed?.transferSyntaxes.includes(transferSyntax)) return [];
    return [{ id, sopClassUid: proposed.abstractSyntax, transferSyntaxUid: transferSyntax }];
  });
}

/** What both sides say of the asynchronous operations window; one at a time where one of them says nothing (PS3.7 §D.3.3.3). */
function windowOf(request: AssociateRequest, answer: AssociateAccept): Agreement["window"] {
  const asked = request.user.asyncWindow?.invoked ?? 1;
  const granted = answer.user.asyncWindow?.invoked ?? 1;
  return { invoked: granted === 0 ? asked : Math.min(asked, granted), performed: 1 };
}

function refused({ result, source, reason }: AssociateReject): Problem {
  const code = result === 2 ? "busy" : "denied";
  return new Problem(code, `the peer refused the association (result ${result}, source ${source}, reason ${reason})`);
}
