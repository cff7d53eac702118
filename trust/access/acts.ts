import type { Role as RoleName } from "#formats/api";
import type { Place } from "./place.ts";

/**
 * - `administrator` people, devices, settings; no images by itself
 * - `radiologist`, `technologist`, `front-desk`, `referrer`, `patient`, `researcher` (sees identity masked), `auditor`: people
 * - `service`   a program
 * - `guest`     who opened a share link: looks, takes nothing away
 * - `recipient` the same, and may download
 */
export type Role = RoleName;

/**
 * - `user`     a person with a session
 * - `client`   a program with a token
 * - `share`    who opened a share link
 * - `device`   a machine that speaks DICOM or HL7, known by its title and address
 * - `edge`     a device of ours in a facility, known by its certificate or, before it has one, its code
 * - `operator` who owns the home folder on this machine
 * - `setup`    who holds a one-use link that makes an account
 * - `pair`     one who asked and an administrator who confirmed, together; `confirmations.ts` makes them, nobody else
 * - `system`   the server by itself
 */
export type ActorKind = FixedKind | GrantedKind | "anonymous";
/** What these may do stands in the table; they hold no grants. */
type FixedKind = "device" | "edge" | "operator" | "setup" | "pair" | "system";
type GrantedKind = "user" | "client" | "share";

/**
 * Where an act is done, and so what a grant's place must cover:
 * - `study`  on one study, which must lie in the place
 * - `lists`  over many: any place will do, and the work shows only what lies in it (`Pass.reach`)
 * - `tenant` on what belongs to the whole tenant: only a grant for the tenant covers it
 * - `self`   on what is the actor's own: any grant will do
 */
export type Where = "study" | "lists" | "tenant" | "self";

interface Rule {
  readonly where: Where;
  readonly who: readonly (Role | FixedKind)[];
}

const on = <const W extends Where, const A extends Rule["who"]>(where: W, ...who: A) => ({ where, who });

const everyone = [
  "administrator",
  "radiologist",
  "technologist",
  "front-desk",
  "referrer",
  "patient",
  "researcher",
  "auditor",
] as const;
const readers = ["radiologist", "technologist", "referrer", "patient", "service"] as const;
const lookers = [...readers, "researcher", "guest", "recipient"] as const;

const senders = ["radiologist", "technologist", "front-desk", "service", "operator"] as const;

/**
 * Every act there is, where it is done and who may do it. The one table: the policy decides by it, tests walk it, an auditor
 * can read it (docs/access.md is made from it).
 */
const table = {
  "association.open": on("tenant", "device"),
  /** A program says who it is through a machine that has called. */
  "association.identify": on("self", ...everyone, "service"),
  "dicom.echo": on("tenant", "device"),
  /** A message of HL7 v2, whatever comes of it: what it then changes are acts of their own. */
  "message.receive": on("tenant", "device"),
  "instance.store": on("tenant", "device", "edge", "radiologist", "technologist", "service", "operator", "system"),
  /** Something is held here that says that an edge received it, and none did: it is not served. */
  "instance.flag": on("tenant", "system"),
  /** An upload of instances by a program or a page, each of which is then stored. */
  "upload.begin": on("tenant", "radiologist", "technologist", "service", "operator"),
  "study.search": on("lists", ...lookers, "front-desk", "device", "operator", "edge"),
  /** Frames, rendered pictures, metadata: what a viewer shows. */
  "study.view": on("study", ...lookers, "device", "operator"),
  /** Whole instances, as they were received. */
  "study.read": on("study", ...readers, "recipient", "device", "operator", "edge"),
  "study.watch": on("lists", "radiologist", "technologist", "front-desk", "referrer", "researcher"),
  /** A copy for another machine: a disclosure. What is then done for it, in the name of who asked, is an act of its own. */
  "study.send": on("study", ...senders),
  "transfer.carry": on("study", ...senders),
  /** What is sent and fetched, and how far it is. */
  "transfer.read": on("lists", ...senders, "administrator", "auditor"),
  "transfer.steer": on("lists", ...senders, "administrator"),
  /** The machines that something may be sent to. */
  "destination.read": on("lists", ...senders, "administrator"),
  /** A search in another archive, and having a study sent from there. */
  "archive.query": on("tenant", ...senders),
  "archive.fetch": on("tenant", ...senders),
  /** An old archive taken over: how far it is, starting and stopping it, what it does meanwhile in the name of who did. */
  "migration.read": on("tenant", "administrator", "auditor", "operator"),
  "migration.write": on("tenant", "administrator", "operator"),
  "migration.carry": on("tenant", "administrator", "operator"),
  /** Whose studies did not come whole. */
  "migration.identify": on("tenant", "radiologist", "technologist", "operator"),
  /** A machine asks whether instances are kept for good, is told, and says it of what we sent (PS3.4 Annex J). */
  "commitment.request": on("tenant", "device"),
  "commitment.report": on("tenant", "system"),
  "commitment.answer": on("tenant", "device"),
  /** A machine is told that a study has come to rest (PS3.4 Annex R). */
  "study.announce": on("study", "system"),
  /** Systems are told by HL7 what a report says, and what became of an order; each message is sent to one of them. */
  "result.announce": on("study", "system"),
  "step.announce": on("tenant", "system"),
  "message.send": on("tenant", "system"),
  /** Messages of HL7 that came and went: which there were, what one says, and having it sent or processed again. */
  "message.list": on("tenant", "administrator", "auditor", "operator"),
  "message.read": on("tenant", "administrator", "operator"),
  "message.steer": on("tenant", "administrator", "operator"),
  /** Metadata of a series, computed in the quiet after it has come. */
  "series.summarise": on("tenant", "system"),
  /** What is to be done on which machine: consoles ask for theirs, who schedules fills it. */
  "worklist.read": on(
    "lists",
    "radiologist",
    "technologist",
    "front-desk",
    "service",
    "device",
    "operator",
    "edge",
    "system",
  ),
  "worklist.write": on("tenant", "technologist", "front-desk", "service", "device", "operator", "edge", "system"),
  /** A machine says what it does, and asks what it said. */
  "step.perform": on("lists", "device", "edge"),
  "step.read": on("lists", "device"),
  /** Unified procedure steps: to find and follow them, to plan them, and to do them (PS3.4 Annex CC). */
  "work-item.read": on("lists", "radiologist", "technologist", "service", "operator"),
  "work-item.write": on("lists", "radiologist", "technologist", "service", "operator"),
  "work-item.perform": on("lists", "radiologist", "technologist", "service", "operator"),
  /** Other values for what identifies a study; by the server itself where it goes on with what a crash cut off. */
  "study.correct": on("study", "radiologist", "technologist", "front-desk", "operator", "system"),
  "patient.correct": on("tenant", "technologist", "front-desk", "device", "operator", "edge"),
  "patient.merge": on("tenant", "technologist", "front-desk", "device", "operator", "edge"),
  "study.move": on("tenant", "technologist", "front-desk", "operator"),
  /** Hides instances by a rejection note, and shows them again; machines send such notes (IHE IOCM). */
  "study.reject": on("study", "radiologist", "technologist", "service", "operator", "device"),
  "phantom.load": on("tenant", "administrator", "operator"),
  "status.read": on("tenant", "administrator", "technologist", "auditor", "service", "operator"),
  /** Lets somebody go on who was stopped for looking at too many patients. */
  "actor.release": on("tenant", "operator"),
  "audit.read": on("tenant", "administrator", "auditor", "operator"),
  "audit.export": on("tenant", "auditor", "operator"),
  /** What is personal about an entry, kept sealed beside the log: an address, a reason. */
  "audit.reveal": on("tenant", "administrator", "auditor", "operator"),
  "device.read": on("tenant", "administrator", "technologist", "auditor", "operator"),
  "device.write": on("tenant", "administrator", "operator"),
  /** An association to a machine: to send it what another one asked for, or to see whether it answers. */
  "device.call": on("tenant", "administrator", "device", "operator"),
  "edge.read": on("tenant", "administrator", "auditor", "operator"),
  /** A code that enrols an edge, and forgetting one that is not there any more. */
  "edge.write": on("tenant", "administrator", "operator"),
  /** Shuts one out, at once. */
  "edge.revoke": on("tenant", "administrator", "operator"),
  /** Another key that edges seal to, and the end of those before it. */
  "edge.change-key": on("tenant", "administrator", "operator"),
  /** An edge is given its first certificate for its code, comes in with it, asks who it is, and is given the next one. */
  "edge.enrol": on("tenant", "edge"),
  "edge.connect": on("tenant", "edge"),
  "edge.ask": on("self", "edge"),
  "edge.renew": on("tenant", "edge"),
  /** It tells how it does, once a minute: logged when it begins to, and once an hour. */
  "edge.report": on("self", "edge"),
  /** On an edge itself: its way to the cloud. */
  "link.read": on("tenant", "administrator", "technologist", "auditor", "operator"),
  "link.enrol": on("tenant", "operator"),
  "link.renew": on("tenant", "operator", "system"),
  /** What the cloud refused for good is sent again, or given up. */
  "parcel.again": on("tenant", "administrator", "operator"),
  "parcel.drop": on("tenant", "administrator", "operator"),
  /** Rules by which instances go on when they have come. */
  "route.read": on("tenant", "administrator", "auditor", "operator"),
  "route.write": on("tenant", "administrator", "operator"),
  /** What a rule sends to another machine: a disclosure. */
  "study.route": on("study", "system"),
  "client.read": on("tenant", "administrator", "auditor", "operator"),
  "client.write": on("tenant", "administrator", "operator"),
  "client.token": on("tenant", "operator"),
  /** A token is given to a program, for itself or for a person who let it act. */
  "token.issue": on("self", ...everyone, "service"),
  /** A person lets a program act for them, or no more. */
  "app.authorise": on("self", ...everyone),
  /** A patient or study to open another program on. */
  "launch.make": on("study", "radiologist", "technologist", "front-desk", "referrer", "service", "operator"),
  "grant.read": on("tenant", "administrator", "auditor", "operator"),
  "grant.write": on("tenant", "administrator", "operator"),
  "facility.read": on("tenant", "administrator", "technologist", "auditor", "operator"),
  "facility.write": on("tenant", "administrator", "operator"),
  "account.create": on("tenant", "operator", "setup"),
  "account.confirm": on("tenant", "setup"),
  "account.invite": on("tenant", "administrator", "operator"),
  "account.read": on("tenant", "administrator", "auditor", "operator"),
  "account.remove": on("tenant", "administrator", "operator"),
  /** What a person is called and when born, to notice who looks at their own family. */
  "account.describe": on("tenant", "administrator", "operator"),
  /** A link to new ways in, for somebody else who lost theirs. */
  "account.recover": on("tenant", "administrator", "operator"),
  "session.begin": on("self", ...everyone, "guest", "recipient", "setup"),
  /** The stream of what changes: each is told what they may see. */
  "session.watch": on("self", ...everyone, "guest", "recipient"),
  "session.read": on("self", ...everyone, "guest", "recipient"),
  /** The customer's own sign-in, and what its groups are worth here. */
  "identity-provider.read": on("tenant", "administrator", "auditor", "operator"),
  "identity-provider.write": on("tenant", "administrator", "operator"),
  /** Who is signed in shows again that it is them. */
  "session.prove": on("self", ...everyone),
  "session.end": on("self", ...everyone, "guest", "recipient"),
  /** Sessions of others: who is signed in, and ending it. */
  "session.list": on("tenant", "administrator", "operator"),
  "session.close": on("tenant", "administrator", "operator"),
  /** One's own passkeys, password and authenticator. */
  "credential.read": on("self", ...everyone),
  "credential.write": on("self", ...everyone),
  /** Lists as one wants to see them again. */
  "saved-view.read": on("self", ...everyone),
  "saved-view.write": on("self", ...everyone),
  "confirmation.request": on("tenant", "administrator", "operator"),
  "confirmation.read": on("tenant", "administrator", "operator"),
  "confirmation.confirm": on("tenant", "administrator"),
  "confirmation.refuse": on("tenant", "administrator"),
  "confirmation.withdraw": on("tenant", "administrator", "operator"),
  /** A look at what one has no grant for, in an emergency: a reason, a short grant, an alarm, a review. */
  "glass.break": on("self", "radiologist", "technologist", "referrer"),
  "share.make": on("study", "radiologist", "technologist", "front-desk", "operator"),
  "share.read": on("lists", "radiologist", "technologist", "front-desk", "administrator", "auditor", "operator"),
  "share.end": on("lists", "radiologist", "technologist", "front-desk", "administrator", "operator"),
  /** Who looked at a study, and what was disclosed to whom (45 CFR 164.528). */
  "disclosure.read": on("study", "administrator", "radiologist", "front-desk", "auditor", "patient", "operator"),
  "review.read": on("tenant", "administrator", "auditor", "operator"),
  "review.decide": on("tenant", "administrator", "auditor"),
  /** Each look at this patient is reviewed. */
  "patient.mark": on("tenant", "administrator", "operator"),
  "study.shred": on("tenant", "pair"),
  "patient.shred": on("tenant", "pair"),
  "archive.export": on("tenant", "pair"),
  "root.change": on("tenant", "pair"),
  "recovery-kit.make": on("tenant", "pair"),
  /** The server opens a study's date to see whether its time is over; it deletes what is due, or what somebody shredded. */
  "study.retain": on("tenant", "system"),
  "study.delete": on("tenant", "system"),
  /** Legal hold: nobody deletes it. */
  "study.hold": on("tenant", "operator"),
  "study.release": on("tenant", "operator"),
  "study.held": on("tenant", "operator"),
  "instance.discard": on("tenant", "operator"),
  "clock.confirm": on("tenant", "operator"),
  "vault.scrub": on("tenant", "operator"),
  "vault.compact": on("tenant", "operator"),
  "vault.check": on("tenant", "operator"),
  "vault.rebuild": on("tenant", "operator"),
  /** A new wrapping of keys below the root; by the server itself where it ends what a crash left. */
  "vault.rotate": on("tenant", "operator", "system"),
  /** Two people's shares opened the keyring, and it was put under a new passphrase. */
  "vault.recover": on("tenant", "operator"),
  "vault.backup": on("tenant", "operator", "system"),
  "vault.backup.read": on("tenant", "operator"),
  "vault.restore": on("tenant", "operator"),
  /** At the main home of an installation: its other customers. */
  "tenant.list": on("tenant", "operator"),
  "tenant.add": on("tenant", "operator"),
  "tenant.remove": on("tenant", "operator"),
  "system.start": on("tenant", "system"),
  "system.stop": on("tenant", "system"),
} as const satisfies Record<string, Rule>;

export type Act = keyof typeof table;

/** What one person must not do alone: only a pair may. */
export type PairAct = { [A in Act]: (typeof table)[A]["who"] extends readonly ["pair"] ? A : never }[Act];

export const acts = Object.keys(table) as Act[];
export const pairActs = acts.filter((act): act is PairAct => ruleOf(act).who.every((who) => who === "pair"));

/** The row of an act. */
export function ruleOf(act: Act): Rule {
  return table[act];
}

/** Who acts. `id` is the kind with a token, and all that the audit log learns. */
export interface Actor {
  readonly kind: ActorKind;
  readonly id: string;
  /** Identity is shown masked to this actor, whatever its grants say; absent: as they say. */
  readonly sees?: "masked";
  /** What the token that the actor came with is good for, or a machine may ask for, at most; absent: all that its grants or its kind let it do. */
  readonly scope?: Scope;
  /** Whether the session or token that the actor came with still holds; absent: it has none that could end. */
  readonly isLive?: () => boolean;
}

export interface Scope {
  readonly acts: readonly Act[];
  /** Empty: wherever the grants hold. */
  readonly places: readonly Place[];
}

export const operator: Actor = { kind: "operator", id: "operator" };
export const system: Actor = { kind: "system", id: "system" };
export const anonymous: Actor = { kind: "anonymous", id: "anonymous" };

export function actorOf(
  kind: "user" | "client" | "share" | "device" | "edge" | "setup" | "pair",
  token: string,
  more: Pick<Actor, "sees" | "scope" | "isLive"> = {},
): Actor {
  return { kind, id: `${kind}:${token}`, ...more };
}
