interface Words {
  readonly label: string;
  readonly group: ActGroup;
}

export const actGroups = ["images", "patients", "people", "machines", "log", "keeping", "self"] as const;
export type ActGroup = (typeof actGroups)[number];

export const actGroupLabel: Readonly<Record<ActGroup, string>> = {
  images: "Images",
  patients: "Patients",
  people: "People and programs",
  machines: "Devices and this server",
  log: "The log",
  keeping: "Keeping and destroying",
  self: "One's own account",
};

const in_ = (group: ActGroup, labels: Readonly<Record<string, string>>): [string, Words][] =>
  Object.entries(labels).map(([act, label]) => [act, { label, group }]);

/** Every act in the words of who reads it, in the order that they are listed in. */
const words: ReadonlyMap<string, Words> = new Map([
  ...in_("images", {
    "study.search": "Find studies",
    "study.watch": "See studies arrive",
    "study.view": "Look at images",
    "study.read": "Take whole images away",
    "study.send": "Send a study to another machine",
    "transfer.carry": "Carry out a sending",
    "transfer.read": "See what is sent and fetched",
    "transfer.steer": "Retry or call off a sending",
    "destination.read": "See where studies may be sent",
    "archive.query": "Search another archive",
    "archive.fetch": "Fetch a study from another archive",
    "study.announce": "Tell machines that a study is there",
    "instance.store": "Store images",
    "upload.begin": "Begin an upload",
    "glass.break": "Break the glass in an emergency",
    "launch.make": "Open a study in another program",
    "share.make": "Share a study by a link",
    "share.read": "See which links there are",
    "share.end": "End a link",
    "study.reject": "Reject images, and take that back",
    "phantom.load": "Load the phantom study",
    "series.summarise": "Prepare a series for viewing",
  }),
  ...in_("patients", {
    "study.correct": "Correct a study",
    "patient.correct": "Correct a patient",
    "patient.merge": "Merge two patients",
    "study.move": "Move a study to another patient",
    "worklist.read": "See the modality worklist",
    "worklist.write": "Schedule and unschedule steps",
    "step.perform": "Say what is being done",
    "step.read": "Ask what was said to be done",
    "work-item.read": "See and follow work items",
    "work-item.write": "Plan, change and cancel work items",
    "work-item.perform": "Do work items",
    "patient.mark": "Have each look at a patient reviewed",
    "disclosure.read": "See who looked at a study",
  }),
  ...in_("people", {
    "account.read": "See who has an account",
    "account.invite": "Invite people",
    "account.remove": "Remove accounts",
    "account.recover": "Give new ways in to who lost theirs",
    "account.describe": "Describe a person, to notice looks at family",
    "account.create": "Make an account",
    "account.confirm": "Finish an account of one's own",
    "session.list": "See who is signed in",
    "session.close": "End other people's sessions",
    "grant.read": "See who may do what",
    "grant.write": "Give and end grants",
    "client.read": "See the programs",
    "client.write": "Add and remove programs",
    "client.token": "Make a token for a script",
    "identity-provider.read": "See how people sign in elsewhere",
    "identity-provider.write": "Choose how people sign in elsewhere",
    "actor.release": "Release who was stopped",
  }),
  ...in_("machines", {
    "device.read": "See the devices",
    "device.write": "Admit and remove devices",
    "device.call": "Connect to a device",
    "association.open": "Connect by DICOM",
    "dicom.echo": "Test the connection by DICOM",
    "commitment.request": "Ask whether images are kept",
    "commitment.report": "Say whether images are kept",
    "commitment.answer": "Say what another archive keeps",
    "facility.read": "See the facilities",
    "facility.write": "Add and rename facilities",
    "status.read": "See how the server is",
    "tenant.list": "See the tenants",
    "tenant.add": "Add a tenant",
    "tenant.remove": "Remove a tenant",
    "system.start": "Start the server",
    "system.stop": "Stop the server",
  }),
  ...in_("log", {
    "audit.read": "Read the log",
    "audit.reveal": "See addresses and reasons in the log",
    "audit.export": "Export the log",
    "review.read": "See what is to be reviewed",
    "review.decide": "Review what was looked at",
  }),
  ...in_("keeping", {
    "confirmation.request": "Ask for an act that needs two",
    "confirmation.read": "See what waits for a second person",
    "confirmation.confirm": "Confirm as the second person",
    "confirmation.refuse": "Refuse as the second person",
    "confirmation.withdraw": "Withdraw what one asked for",
    "study.shred": "Shred a study",
    "patient.shred": "Shred a patient",
    "archive.export": "Export in bulk",
    "root.change": "Change the root key",
    "recovery-kit.make": "Make a recovery kit",
    "study.retain": "Keep a study for its time",
    "study.delete": "Delete a study whose time is over",
    "study.hold": "Hold a study from deletion",
    "study.release": "Let go of a held study",
    "study.held": "See what is held",
    "instance.discard": "Give up one of two copies",
    "clock.confirm": "Confirm the clock",
    "vault.scrub": "Read everything through",
    "vault.compact": "Compact the vault",
    "vault.check": "Check the vault",
    "vault.rebuild": "Rebuild the index",
    "vault.rotate": "Rotate keys",
    "vault.recover": "Recover the vault",
    "vault.backup": "Back up",
    "vault.backup.read": "See the backups",
    "vault.restore": "Restore a backup",
  }),
  ...in_("self", {
    "session.begin": "Sign in",
    "session.read": "See one's own sessions",
    "session.watch": "See changes as they happen",
    "session.prove": "Show again that it is oneself",
    "session.end": "Sign out",
    "credential.read": "See one's own passkeys and password",
    "credential.write": "Change one's own passkeys and password",
    "saved-view.read": "See the views that one keeps",
    "saved-view.write": "Keep a view of a list",
    "app.authorise": "Let a program act for oneself",
    "token.issue": "Be given a token",
  }),
]);

export const wordedActs: readonly string[] = [...words.keys()];

/** What the act is called; the act itself where there are no words, which a test rules out. */
export const actLabel = (act: string): string => words.get(act)?.label ?? act;
export const actGroup = (act: string): ActGroup => words.get(act)?.group ?? "keeping";
