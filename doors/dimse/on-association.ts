import type { ContextProposal, OutboundAssociation } from "./outbound.ts";

/** Opens an association to a machine. */
export type OpenTo = (contexts: readonly ContextProposal[]) => Promise<OutboundAssociation>;

/** Works on an association of ours and releases it; aborts it when `signal` says so, or when it is not released in time. */
export async function onAssociation<T>(
  open: OpenTo,
  contexts: readonly ContextProposal[],
  signal: AbortSignal,
  work: (association: OutboundAssociation) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const association = await open(contexts);
  const abort = () => association.abort();
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  try {
    return await work(association);
  } finally {
    if (!association.isOver()) await association.release().catch(abort);
    signal.removeEventListener("abort", abort);
  }
}
