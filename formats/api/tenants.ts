/** Another customer on the same installation: a home of its own, which shares the ports and nothing else. */
export interface TenantView {
  readonly name: string;
  /** What the log of the main home calls it. */
  readonly token: string;
  readonly home: string;
  /** Its pages are asked for by these names and addresses. */
  readonly hosts: readonly string[];
  /** Its machines call this title. */
  readonly aeTitle: string;
  /** `at-rest`: no server runs. */
  readonly state: "in-service" | "opening" | "out-of-service" | "at-rest";
  /** Why it is out of service. */
  readonly problem?: { readonly message: string; readonly remedy?: string };
  /** Where its first administrator is made; absent when there is one, or no server runs. */
  readonly setupLink?: string;
}

/** Without hosts: a home of that name is there already, restored or put back, and is taken into service. */
export interface TenantRequest {
  readonly name: string;
  readonly hosts?: readonly string[];
  readonly aeTitle?: string;
}

export interface RemovedTenantView {
  readonly name: string;
  readonly token: string;
  /** Where its home lies now. */
  readonly movedTo: string;
}
