import { duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { type CommandSet, commandField, decodeCommand, encodeCommand } from "./command.ts";
import { encodeFragments } from "./fragments.ts";
import {
  type Connection,
  createDimseDoor,
  type DimseDoorOptions,
  type DimseServices,
  type DoorEvent,
  openAssociation,
  type Receiving,
  type StoreInstance,
  type StoreRequest,
  storagePolicy,
  type UserIdentity,
} from "./index.ts";
import { dicomApplicationContext, type Pdu, type ProposedContext, type UserInformation } from "./pdu.ts";
import { encodePdu } from "./pdu-encode.ts";
import { createPduReader } from "./pdu-reader.ts";

export const ct = "1.2.840.10008.5.1.4.1.1.2";
export const verification = "1.2.840.10008.1.1";
export const explicit = "1.2.840.10008.1.2.1";
export const implicit = "1.2.840.10008.1.2";
export const proposal = {
  callingAe: "CT1",
  calledAe: "LEADGLASS",
  contexts: [
    { sopClassUid: verification, transferSyntaxUids: [implicit] },
    { sopClassUid: ct, transferSyntaxUids: [explicit, implicit] },
  ],
};

type Options = Partial<DimseDoorOptions> & { readonly services?: DimseServices };

/** A door with a store that keeps what it gets; parts may be put in the place of others. */
export function doorWith({ services, ...options }: Options = {}) {
  const kept: { request: StoreRequest; bytes: Buffer }[] = [];
  const events: DoorEvent[] = [];
  const aborted: string[] = [];
  const store = (request: StoreRequest): Receiving => {
    const parts: Buffer[] = [];
    return {
      write: (bytes) => void parts.push(Buffer.from(bytes)),
      finish: async () => void kept.push({ request, bytes: Buffer.concat(parts) }),
      abort: (reason) => void aborted.push(reason),
    };
  };
  const door = createDimseDoor({
    callers: { admit: async () => ({ admitted: true, services: services ?? { echo: async () => {}, store } }) },
    policy: storagePolicy,
    aeTitle: "LEADGLASS",
    clock: systemClock,
    log: silentLog,
    on: (event) => void events.push(event),
    ...options,
  });
  return { door, kept, events, aborted, store };
}

export function connectTo(door: ReturnType<typeof doorWith>["door"], remoteAddress?: string): Connection {
  const [ours, theirs] = duplexPair();
  // The ends of an in-memory pair do not tell each other that they were destroyed, as sockets do.
  ours.once("close", () => theirs.destroy());
  theirs.once("close", () => ours.destroy());
  door.accept(Object.assign(theirs, { remoteAddress }));
  return ours;
}

export const instance = (bytes: Uint8Array, last = 1): StoreInstance => ({
  sopClassUid: ct,
  sopInstanceUid: `1.2.3.${last}`,
  transferSyntaxUid: explicit,
  dataSet: [bytes],
});

export const open = (door: ReturnType<typeof doorWith>["door"]) =>
  openAssociation(connectTo(door), proposal, { clock: systemClock });

/** A peer that may do what no proper one does: it sends bytes and lists the commands and PDUs it gets. */
export async function rawPeer(
  door: ReturnType<typeof doorWith>["door"],
  pduBytesMax = 0,
  identity?: UserIdentity,
  more: { readonly contexts?: readonly ProposedContext[]; readonly user?: Partial<UserInformation> } = {},
) {
  const connection = connectTo(door);
  const whole: Pdu[] = [];
  const pdus: Pdu["type"][] = [];
  const commands: CommandSet[] = [];
  const dataSets: Buffer[] = [];
  const longest = { pduBytes: 0 };
  const parts: Buffer[] = [];
  let pduBytes = 0;
  const reader = createPduReader(
    {
      pdu: (pdu) => whole.push(pdu) + pdus.push(pdu.type) > 0,
      dataBegins() {
        pduBytes = 6;
        return true;
      },
      data(_context, command, last, bytes) {
        parts.push(Buffer.from(bytes));
        pduBytes += bytes.length;
        longest.pduBytes = Math.max(longest.pduBytes, pduBytes);
        if (!last) return true;
        const message = Buffer.concat(parts.splice(0));
        if (command) commands.push(decodeCommand(message).command);
        else dataSets.push(message);
        return true;
      },
    },
    { dataPduBytesMax: 1 << 20, associatePduBytesMax: 1 << 20 },
  );
  connection.on("data", (chunk: Buffer) => reader.read(chunk, 0));
  const settle = async () => {
    for (let i = 0; i < 20; i++) await turn();
  };
  const send = async (...all: (Pdu | Uint8Array)[]) => {
    for (const one of all) connection.write(one instanceof Uint8Array ? one : encodePdu(one));
    await settle();
  };
  const command = (set: CommandSet, contextId = 3) => encodeFragments(contextId, true, encodeCommand(set), 16_000);
  const dataSet = (bytes: Uint8Array, contextId = 3) => encodeFragments(contextId, false, bytes, 16_000);
  await send({
    type: "associate-rq",
    protocolVersion: 1,
    calledAe: "LEADGLASS",
    callingAe: "CT1",
    applicationContext: dicomApplicationContext,
    contexts: [
      { id: 1, abstractSyntax: verification, transferSyntaxes: [implicit] },
      { id: 3, abstractSyntax: ct, transferSyntaxes: [explicit] },
      ...(more.contexts ?? []),
    ],
    user: { pduBytesMax, implementationClassUid: "1.2.3", ...(identity ? { identity } : {}), ...more.user },
  });
  return { connection, whole, pdus, commands, dataSets, longest, send, settle, command, dataSet };
}

export const storeRq: CommandSet = {
  CommandField: commandField.cStoreRq,
  CommandDataSetType: 1,
  MessageID: 7,
  AffectedSOPClassUID: ct,
  AffectedSOPInstanceUID: "1.2.3",
  Priority: 0,
};
