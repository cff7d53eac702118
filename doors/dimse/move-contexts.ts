import type { RetrievedInstance } from "./service-ports.ts";

/** What one association to the destination of a C-MOVE proposes, and the instances that it carries. */
export interface MoveBatch {
  readonly contexts: readonly { readonly sopClassUid: string; readonly transferSyntaxUids: readonly string[] }[];
  readonly instances: readonly RetrievedInstance[];
}

/** PS3.8 §9.3.2.2: ids are odd and of one byte. */
const contextsMax = 128;

/**
 * The instances in as few batches as hold their contexts, each in the order given. Every SOP class gets a context for each syntax
 * that instances are stored in, so that the destination cannot choose one and refuse the others, and one with all they can be
 * made into besides.
 */
export function batchesOf(instances: readonly RetrievedInstance[]): MoveBatch[] {
  const bySopClass = new Map<string, RetrievedInstance[]>();
  for (const instance of instances) {
    const of = bySopClass.get(instance.sopClassUid);
    if (of) of.push(instance);
    else bySopClass.set(instance.sopClassUid, [instance]);
  }
  const batches: { contexts: MoveBatch["contexts"][number][]; sopClasses: Set<string> }[] = [];
  for (const [sopClassUid, of] of bySopClass) {
    const contexts = contextsOf(sopClassUid, of);
    const last = batches.at(-1);
    if (last && last.contexts.length + contexts.length <= contextsMax) {
      last.contexts.push(...contexts);
      last.sopClasses.add(sopClassUid);
    } else batches.push({ contexts, sopClasses: new Set([sopClassUid]) });
  }
  return batches.map(({ contexts, sopClasses }) => ({
    contexts,
    instances: instances.filter(({ sopClassUid }) => sopClasses.has(sopClassUid)),
  }));
}

function contextsOf(sopClassUid: string, instances: readonly RetrievedInstance[]) {
  const stored = new Set(instances.map(({ transferSyntaxUid }) => transferSyntaxUid));
  const others = new Set(instances.flatMap(({ offeredSyntaxUids }) => offeredSyntaxUids));
  for (const uid of stored) others.delete(uid);
  const contexts = [...stored].slice(0, contextsMax - 1).map((uid) => ({ sopClassUid, transferSyntaxUids: [uid] }));
  return others.size > 0 ? [...contexts, { sopClassUid, transferSyntaxUids: [...others] }] : contexts;
}
