/**
 * Every act there is, and which kinds of actor may do it. The one table: the gate decides by it, tests walk it, an auditor
 * can read it.
 */
const table = {
  "association.open": ["device"],
  "dicom.echo": ["device"],
  "instance.store": ["device", "client", "user", "operator", "system"],
  "study.search": ["user", "client", "operator"],
  "study.read": ["user", "client", "operator"],
  "study.watch": ["user"],
  "phantom.load": ["user", "operator"],
  "status.read": ["user", "client", "operator"],
  "audit.read": ["user", "operator"],
  "audit.export": ["operator"],
  "device.read": ["user", "operator"],
  "device.write": ["user", "operator"],
  "client.token": ["operator"],
  "account.create": ["operator", "setup"],
  "account.confirm": ["setup"],
  "session.begin": ["user", "setup"],
  "session.read": ["user"],
  "session.end": ["user"],
  "vault.check": ["operator"],
  "vault.rebuild": ["operator"],
  "system.start": ["system"],
  "system.stop": ["system"],
} as const satisfies Record<string, readonly ActorKind[]>;

/**
 * - `user`     a person with a session
 * - `client`   a program with a token
 * - `device`   a machine that speaks DICOM, known by AE title and address
 * - `operator` who owns the home folder on this machine
 * - `setup`    who holds the one-use link of the first start
 * - `system`   the server by itself
 */
export type ActorKind = "user" | "client" | "device" | "operator" | "setup" | "system" | "anonymous";

export type Act = keyof typeof table;

export const acts = Object.keys(table) as Act[];

/** Who acts. `id` is the kind with a token, and all that the audit log learns. */
export interface Actor {
  readonly kind: ActorKind;
  readonly id: string;
}

export const operator: Actor = { kind: "operator", id: "operator" };
export const system: Actor = { kind: "system", id: "system" };
export const anonymous: Actor = { kind: "anonymous", id: "anonymous" };

export function actorOf(kind: "user" | "client" | "device" | "setup", token: string): Actor {
  return { kind, id: `${kind}:${token}` };
}

export function may(actor: Actor, act: Act): boolean {
  return (table[act] as readonly ActorKind[]).includes(actor.kind);
}
