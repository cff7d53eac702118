import { isStorageSopClass, sopClassOf } from "#formats/dicom";
import type {
  AssociateRequest,
  ExtendedNegotiation,
  PresentationContext,
  RoleSelection,
  UserInformation,
} from "./pdu.ts";
import type { DimseServices } from "./ports.ts";
import { encodeExtensions, granting, noExtensions, type QueryExtensions } from "./query-extensions.ts";

/** What an association has agreed on beyond its presentation contexts (PS3.7 §D.3.3). */
export interface Agreement {
  /** Requests of the peer that are worked on at once, and of ours that may be unanswered. */
  readonly window: { readonly performed: number; readonly invoked: number };
  extensionsOf(sopClassUid: string): QueryExtensions;
  /** Contexts on which the peer takes C-STORE requests of ours. */
  readonly sendable: readonly PresentationContext[];
}

/** What the association-acceptor says of it. */
export type AgreementItems = Pick<UserInformation, "asyncWindow" | "roles" | "extended">;

const windowMax = 8;

/** Which sub-operations a retrieve SOP class has; undefined for every other. */
export function retrieveOperationOf(sopClassUid: string): "move" | "get" | undefined {
  const name = sopClassOf(sopClassUid)?.name.replace(/ \(Retired\)$/, "");
  if (name?.endsWith(" - MOVE")) return "move";
  return name?.endsWith(" - GET") ? "get" : undefined;
}

/** What is agreed on, as the acceptor of `asked`. */
export function agree(
  asked: AssociateRequest,
  accepted: ReadonlyMap<number, PresentationContext>,
  services: DimseServices,
): { readonly agreement: Agreement; readonly items: AgreementItems } {
  const contexts = [...accepted.values()];
  const inUse = new Set(contexts.map(({ sopClassUid }) => sopClassUid));
  const gets = contexts.some(
    ({ sopClassUid: uid }) => services.retrieves?.has(uid) && retrieveOperationOf(uid) === "get",
  );
  const window = asked.user.asyncWindow && windowOf(asked.user.asyncWindow);
  const roles = rolesOf(asked, inUse, gets, services);
  const { extended, queries } = extensionsOf(asked, inUse, services);
  const sends = senders(asked, roles, gets);
  return {
    agreement: {
      window: { performed: window?.invoked ?? 1, invoked: window?.performed ?? 1 },
      extensionsOf: (uid) => queries.get(uid) ?? noExtensions,
      sendable: contexts.filter(({ sopClassUid }) => sends(sopClassUid)),
    },
    items: {
      ...(window ? { asyncWindow: window } : {}),
      ...(roles.length > 0 ? { roles } : {}),
      ...(extended.length > 0 ? { extended } : {}),
    },
  };
}

/** PS3.7 §D.3.3.3: both from the requestor's point of view; 0 is no limit. */
function windowOf({ invoked, performed }: { invoked: number; performed: number }) {
  const bounded = (count: number) => (count === 0 ? windowMax : Math.min(count, windowMax));
  return { invoked: bounded(invoked), performed: bounded(performed) };
}

/**
 * PS3.7 §D.3.3.4: of the roles that the requestor proposes for itself those it gets. It may be SCP of what a C-GET sends it,
 * and of N- services: it reports events to us.
 */
function rolesOf(
  asked: AssociateRequest,
  inUse: ReadonlySet<string>,
  gets: boolean,
  { normalized }: DimseServices,
): RoleSelection[] {
  const answered = new Map<string, RoleSelection>();
  for (const { sopClassUid, scu, scp } of asked.user.roles ?? []) {
    if (!inUse.has(sopClassUid)) continue;
    const mayBeScp = normalized?.has(sopClassUid) || (gets && isStorageSopClass(sopClassUid));
    answered.set(sopClassUid, { sopClassUid, scu, scp: scp && mayBeScp === true });
  }
  return [...answered.values()];
}

/**
 * Whether the peer takes objects of a SOP class: it became SCP of it, or said nothing of roles and asks for C-GET. Horos and
 * others leave the roles out, and propose storage contexts for no other reason.
 */
function senders(asked: AssociateRequest, roles: readonly RoleSelection[], gets: boolean) {
  const scps = new Map(roles.map(({ sopClassUid, scp }) => [sopClassUid, scp]));
  const proposesRoles = (asked.user.roles ?? []).length > 0;
  return (sopClassUid: string) => {
    if (!gets || !isStorageSopClass(sopClassUid)) return false;
    return scps.get(sopClassUid) ?? !proposesRoles;
  };
}

/** PS3.4 §B.3.1: level 2 (all attributes are kept), signatures are kept as they came, nothing is coerced. */
const storageSupport = Uint8Array.of(2, 0, 3, 0, 0, 0);

function extensionsOf(
  asked: AssociateRequest,
  inUse: ReadonlySet<string>,
  { finds, retrieves }: DimseServices,
): { extended: ExtendedNegotiation[]; queries: Map<string, QueryExtensions> } {
  const extended = new Map<string, Uint8Array>();
  const queries = new Map<string, QueryExtensions>();
  for (const { sopClassUid, information } of asked.user.extended ?? []) {
    if (!inUse.has(sopClassUid)) continue;
    const service = finds?.get(sopClassUid) ?? retrieves?.get(sopClassUid);
    if (service) {
      const granted = granting(information, service.supports);
      queries.set(sopClassUid, granted);
      extended.set(sopClassUid, encodeExtensions(granted, information.length));
    } else if (isStorageSopClass(sopClassUid)) extended.set(sopClassUid, storageSupport);
  }
  return { extended: [...extended].map(([sopClassUid, information]) => ({ sopClassUid, information })), queries };
}
