/**
 * - `invited`  waits for its first code to be typed
 * - `enrolled` comes in with its certificate
 * - `revoked`  does not, until it is enrolled again with a new code
 */
export type EdgeState = "invited" | "enrolled" | "revoked";

/** A device of ours in a facility, that reaches us over the internet. */
export interface Edge {
  /** Token: all that its certificate says. */
  readonly id: string;
  readonly name: string;
  /** Token of the facility that it stands in; empty: of none. */
  readonly facility: string;
  readonly state: EdgeState;
  /** One more with each change, but for `touchEdge`. */
  readonly version: number;
  /** SHA-256 of the secret of its code; empty once that was used. */
  readonly codeDigest: string;
  readonly codeEndsAt: number;
  /** Serial number of the certificate that it comes in with; empty before the first. */
  readonly serial: string;
  /** Of one that was issued and not shown yet: the other holds until then. */
  readonly nextSerial: string;
  /** When the newest certificate ends. */
  readonly notAfter: number;
  /** Version of Leadglass, as it said when it was given its certificate. */
  readonly software: string;
  readonly createdAt: number;
  readonly enrolledAt: number;
  readonly lastSeenAt: number;
  readonly revokedAt: number;
}

/** What changes of an edge. */
export type EdgeChange = Partial<Omit<Edge, "id" | "name" | "facility" | "version" | "createdAt" | "lastSeenAt">>;

/** A key that an edge signs with what it receives. It stays for as long as what was signed: whoever the edge is by then, or was. */
export interface EdgeSigningKey {
  readonly edge: string;
  /** Ed25519, raw, base64url. */
  readonly publicKey: string;
  /** When it was first told. */
  readonly since: number;
}

/** Port: edges. Every write is durable when it resolves. */
export interface EdgeStore {
  /** Problem `conflict` when the name is taken. */
  addEdge(edge: Edge): Promise<void>;
  /** Oldest first. */
  edges(): Promise<Edge[]>;
  edge(id: string): Promise<Edge | undefined>;
  /** False when it is not of this version any more: somebody changed it meanwhile. */
  changeEdge(known: Pick<Edge, "id" | "version">, to: EdgeChange): Promise<boolean>;
  touchEdge(id: string, lastSeenAt: number): Promise<void>;
  /** False when there is none. Its signing keys stay. */
  removeEdge(id: string): Promise<boolean>;
  /** One that is there already stays as it is. */
  addSigningKey(key: EdgeSigningKey): Promise<void>;
  /** Newest first, also of an edge that is not there any more. */
  signingKeys(edge: string): Promise<EdgeSigningKey[]>;
}
