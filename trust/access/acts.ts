/**
 * Every act there is, and which kinds of actor may do it. The one table: the gate decides by it, tests walk it, an auditor
 * can read it. `observer` stands for a person or a program that sees identity masked, whatever else it is.
 */
const table = {
  "association.open": ["device"],
  "dicom.echo": ["device"],
  "instance.store": ["device", "client", "user", "operator", "system"],
  "study.search": ["user", "observer", "client", "operator"],
  /** Frames, rendered pictures, metadata: what a viewer shows. */
  "study.view": ["user", "observer", "client", "operator"],
  /** Whole instances, as they were received. */
  "study.read": ["user", "client", "operator"],
  "study.watch": ["user", "observer"],
  /** Metadata of a series, computed in the quiet after it has come. */
  "series.summarise": ["system"],
  /** Other values for what identifies a study; by the server itself where it goes on with what a crash cut off. */
  "study.correct": ["user", "operator", "system"],
  "patient.correct": ["user", "operator"],
  "patient.merge": ["user", "operator"],
  "study.move": ["user", "operator"],
  "phantom.load": ["user", "operator"],
  "status.read": ["user", "client", "operator"],
  /** Lets somebody go on who was stopped for looking at too many patients. */
  "actor.release": ["operator"],
  "audit.read": ["user", "operator"],
  "audit.export": ["operator"],
  "device.read": ["user", "operator"],
  "device.write": ["user", "operator"],
  "client.token": ["operator"],
  "account.create": ["operator", "setup"],
  "account.confirm": ["setup"],
  "account.invite": ["operator"],
  "account.read": ["user", "operator"],
  "account.remove": ["operator"],
  "session.begin": ["user", "observer", "setup"],
  "session.read": ["user", "observer"],
  "session.end": ["user", "observer"],
  "confirmation.request": ["user", "operator"],
  "confirmation.read": ["user", "operator"],
  "confirmation.confirm": ["user"],
  "confirmation.refuse": ["user"],
  "confirmation.withdraw": ["user", "operator"],
  "study.shred": ["pair"],
  "patient.shred": ["pair"],
  "archive.export": ["pair"],
  "root.change": ["pair"],
  "recovery-kit.make": ["pair"],
  /** The server opens a study's date to see whether its time is over; it deletes what is due, or what somebody shredded. */
  "study.retain": ["system"],
  "study.delete": ["system"],
  /** Legal hold: nobody deletes it. */
  "study.hold": ["operator"],
  "study.release": ["operator"],
  "study.held": ["operator"],
  "instance.discard": ["operator"],
  "clock.confirm": ["operator"],
  "vault.scrub": ["operator"],
  "vault.compact": ["operator"],
  "vault.check": ["operator"],
  "vault.rebuild": ["operator"],
  /** A new wrapping of keys below the root; by the server itself where it ends what a crash left. */
  "vault.rotate": ["operator", "system"],
  /** Two people's shares opened the keyring, and it was put under a new passphrase. */
  "vault.recover": ["operator"],
  "vault.backup": ["operator", "system"],
  "vault.backup.read": ["operator"],
  "vault.restore": ["operator"],
  "tenant.list": ["operator"],
  "tenant.add": ["operator"],
  "tenant.remove": ["operator"],
  "system.start": ["system"],
  "system.stop": ["system"],
} as const satisfies Record<string, readonly Grantee[]>;

/**
 * - `user`     a person with a session
 * - `client`   a program with a token
 * - `device`   a machine that speaks DICOM, known by AE title and address
 * - `operator` who owns the home folder on this machine
 * - `setup`    who holds a one-use link that makes an account
 * - `pair`     one who asked and an administrator who confirmed, together; `confirmations.ts` makes them, nobody else
 * - `system`   the server by itself
 */
export type ActorKind = "user" | "client" | "device" | "operator" | "setup" | "pair" | "system" | "anonymous";

type Grantee = Exclude<ActorKind, "anonymous"> | "observer";

export type Act = keyof typeof table;

/** What one person must not do alone: only a pair may. */
export type PairAct = { [A in Act]: (typeof table)[A] extends readonly ["pair"] ? A : never }[Act];

export const acts = Object.keys(table) as Act[];
export const pairActs = acts.filter((act): act is PairAct => table[act].every((kind) => kind === "pair"));

/** Who acts. `id` is the kind with a token, and all that the audit log learns. */
export interface Actor {
  readonly kind: ActorKind;
  readonly id: string;
  /** Identity is shown masked to this actor; absent: whole. */
  readonly sees?: "masked";
}

export const operator: Actor = { kind: "operator", id: "operator" };
export const system: Actor = { kind: "system", id: "system" };
export const anonymous: Actor = { kind: "anonymous", id: "anonymous" };

export function actorOf(
  kind: "user" | "client" | "device" | "setup" | "pair",
  token: string,
  sees?: "masked" | undefined,
): Actor {
  return { kind, id: `${kind}:${token}`, ...(sees && { sees }) };
}

export function may(actor: Actor, act: Act): boolean {
  const grantee = actor.sees === "masked" ? "observer" : actor.kind;
  return (table[act] as readonly string[]).includes(grantee);
}
