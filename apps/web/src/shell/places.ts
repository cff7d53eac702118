import { useQuery } from "@tanstack/react-query";
import { sessionQuery, statusQuery, useMay } from "../api/queries.ts";

export interface Place {
  readonly to:
    | "/"
    | "/devices"
    | "/status"
    | "/this-box"
    | "/people"
    | "/grants"
    | "/roles"
    | "/programs"
    | "/edges"
    | "/migrations"
    | "/messages"
    | "/routing"
    | "/confirmations"
    | "/reviews"
    | "/shares"
    | "/log"
    | "/my-images";
  readonly label: string;
  /** What it begins with: who may not do this is not shown that there is such a page. */
  readonly act: string;
  readonly group: "work" | "administration";
  /** For patients alone, and who acts for one. */
  readonly isOfPatients?: true;
  /** On a box in a facility alone. */
  readonly isOfEdges?: true;
}

const places: readonly Place[] = [
  { to: "/", label: "Studies", act: "study.search", group: "work" },
  { to: "/my-images", label: "Who has seen my images", act: "disclosure.read", group: "work", isOfPatients: true },
  { to: "/shares", label: "Shares", act: "share.read", group: "work" },
  { to: "/devices", label: "Devices", act: "device.read", group: "work" },
  { to: "/this-box", label: "This box", act: "link.read", group: "work", isOfEdges: true },
  { to: "/status", label: "Status", act: "status.read", group: "work" },
  { to: "/people", label: "People", act: "account.read", group: "administration" },
  { to: "/grants", label: "Grants", act: "grant.read", group: "administration" },
  { to: "/roles", label: "Roles", act: "grant.read", group: "administration" },
  { to: "/programs", label: "Programs", act: "client.read", group: "administration" },
  { to: "/edges", label: "Edges", act: "edge.read", group: "administration" },
  { to: "/migrations", label: "Old archives", act: "migration.read", group: "administration" },
  { to: "/messages", label: "Messages", act: "message.list", group: "administration" },
  { to: "/routing", label: "Routing", act: "route.read", group: "administration" },
  { to: "/confirmations", label: "Confirmations", act: "confirmation.read", group: "administration" },
  { to: "/reviews", label: "Reviews", act: "review.read", group: "administration" },
  { to: "/log", label: "Log", act: "audit.read", group: "administration" },
];

/** The pages of who is signed in. */
export function usePlaces(): readonly Place[] {
  const may = useMay();
  const isPatient = (useQuery(sessionQuery).data?.patients.length ?? 0) > 0;
  // Asked once: every page shows its places, and a page that asks again and again would keep a session alive.
  const once = { refetchInterval: false, staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false } as const;
  const isEdge = useQuery({ ...statusQuery, ...once, enabled: may("status.read") }).data?.isEdge === true;
  return places.filter(
    ({ act, isOfPatients, isOfEdges }) =>
      may(act) && (isPatient || isOfPatients === undefined) && (isEdge || isOfEdges === undefined),
  );
}

/** The place that a path belongs to; undefined for pages that everybody has. */
export function placeOf(path: string): Place | undefined {
  return places.find(({ to }) => path === to || (to !== "/" && path.startsWith(`${to}/`)));
}
