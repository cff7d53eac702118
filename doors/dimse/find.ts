import { withDataSet, writeDataSetFor } from "./data-sets.ts";
import type { DimseRequest, Exchange } from "./requests.ts";
import { refusing } from "./requests.ts";
import { missingIdentifier, type ServiceContext, sopClassFault } from "./service-context.ts";
import type { FoundIdentifier } from "./service-ports.ts";
import { status } from "./status.ts";

/** Responses in a row before messages of the peer, a C-CANCEL among them, are looked at. */
const inARow = 16;

/** C-FIND (PS3.7 §9.1.2, PS3.4 §C.4.1): one pending response for each match, as the peer takes them. */
export function find(context: ServiceContext, request: DimseRequest): Exchange {
  const { sopClassUid, transferSyntaxUid } = request.context;
  const service = context.services.finds?.get(sopClassUid);
  if (!service) return refusing(request, { Status: status.unrecognizedOperation });
  const fault = sopClassFault(request);
  if (fault) return refusing(request, fault);
  return withDataSet(request, {
    bytesMax: context.limits.identifierBytesMax,
    family: "find",
    doing: "answering a C-FIND",
    log: context.log,
    async work(identifier, interruptions) {
      if (!identifier) throw missingIdentifier();
      const sets = identifier.characterSets();
      const extended = context.agreement.extensionsOf(sopClassUid);
      const answer = ({ identifier: found, keysIgnored }: FoundIdentifier) =>
        request.respond(
          { Status: keysIgnored ? status.pendingWarning : status.pending },
          {},
          writeDataSetFor(found, transferSyntaxUid, sets),
        );
      const found = service.find({ sopClassUid, identifier, extended })[Symbol.asyncIterator]();
      try {
        for (let sent = 1; ; sent++) {
          const next = await interruptions.or(found.next());
          if (next === undefined) return void request.respond({ Status: status.cancelled });
          if (next.done) return void request.respond({ Status: status.success });
          if (!answer(next.value)) return;
          await request.drained();
          if (sent % inARow === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        found.return?.().catch((error: unknown) => context.log.warn("dimse: a query did not end well", {}, error));
      }
    },
  });
}
