// A DICOM peer that writes its bytes by hand, apart from the product's own encoder, so that it can write wrong ones.
import { connect, type Socket } from "node:net";

export const pduTypes = { rq: 1, ac: 2, rj: 3, data: 4, releaseRq: 5, releaseRp: 6, abort: 7 } as const;

export function u16(value: number): Buffer {
  return Buffer.from([(value >>> 8) & 0xff, value & 0xff]);
}

export function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value >>> 0);
  return out;
}

/** A PDU that says of its length what it likes. */
export function pdu(type: number, body: Uint8Array, length = body.length): Buffer {
  return Buffer.concat([Buffer.from([type, 0]), u32(length), body]);
}

export function item(type: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([type, 0]), u16(body.length), body]);
}

const latin1 = (text: string) => Buffer.from(text, "latin1");

export function context(id: number, abstractSyntax: string, transferSyntax = "1.2.840.10008.1.2.1"): Buffer {
  return item(0x20, Buffer.from([id, 0, 0, 0]), item(0x30, latin1(abstractSyntax)), item(0x40, latin1(transferSyntax)));
}

export const ct = "1.2.840.10008.5.1.4.1.1.2";
export const verification = "1.2.840.10008.1.1";

export interface RequestParts {
  readonly callingAe?: string;
  readonly calledAe?: string;
  readonly contexts?: readonly Uint8Array[];
  readonly pduBytesMax?: number;
  readonly userItems?: readonly Uint8Array[];
}

export function associateRq(parts: RequestParts = {}): Buffer {
  const { callingAe = "CT1", calledAe = "LEADGLASS", pduBytesMax = 16_384, userItems = [] } = parts;
  const contexts = parts.contexts ?? [context(1, verification), context(3, ct)];
  const user = item(0x50, item(0x51, u32(pduBytesMax)), item(0x52, latin1("1.2.3")), ...userItems);
  const titles = latin1(calledAe.padEnd(16) + callingAe.padEnd(16));
  const application = item(0x10, latin1("1.2.840.10008.3.1.1.1"));
  return pdu(1, Buffer.concat([u16(1), u16(0), titles, Buffer.alloc(32), application, ...contexts, user]));
}

/** A PDV; `length` is what it says, whatever it is. */
export function pdv(contextId: number, control: number, bytes: Uint8Array, length = bytes.length + 2): Buffer {
  return Buffer.concat([u32(length), Buffer.from([contextId, control]), bytes]);
}

export const data = (...pdvs: Uint8Array[]) => pdu(4, Buffer.concat(pdvs));
export const releaseRq = pdu(5, Buffer.alloc(4));
export const abort = pdu(7, Buffer.alloc(4));

/** An element of a command set, implicit little endian. */
export function element(number: number, value: Uint8Array, length = value.length, group = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.writeUInt32LE(length >>> 0, 4);
  return Buffer.concat([head, value]);
}

export const us = (value: number) => Buffer.from([value & 0xff, value >>> 8]);
export const ui = (uid: string) => latin1(uid.length % 2 === 0 ? uid : `${uid}\0`);

/** The elements of a proper C-STORE-RQ by number. */
export function storeElements(messageId = 1): Map<number, Buffer> {
  return new Map([
    [0x0002, element(0x0002, ui(ct))],
    [0x0100, element(0x0100, us(1))],
    [0x0110, element(0x0110, us(messageId))],
    [0x0700, element(0x0700, us(0))],
    [0x0800, element(0x0800, us(1))],
    [0x1000, element(0x1000, ui("1.2.3.4"))],
  ]);
}

export const storeRq = (messageId = 1) => Buffer.concat([...storeElements(messageId).values()]);
export const echoRq = (messageId = 1) =>
  Buffer.concat([
    element(0x0002, ui(verification)),
    element(0x0100, us(0x30)),
    element(0x0110, us(messageId)),
    element(0x0800, us(0x0101)),
  ]);

export interface Answer {
  readonly type: number;
  readonly body: Buffer;
}

/** A connection and the PDUs that came back on it. */
export interface RawPeer {
  readonly socket: Socket;
  readonly answers: Answer[];
  send(...bytes: Uint8Array[]): void;
  /** The answer with this index, or undefined when the connection ends without it. */
  answer(index: number): Promise<Answer | undefined>;
  readonly closed: Promise<void>;
}

export async function rawPeer(port: number): Promise<RawPeer> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const answers: Answer[] = [];
  let wake = () => {};
  let buffer = Buffer.alloc(0);
  let over = false;
  socket.on("data", (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 6 && buffer.length >= 6 + buffer.readUInt32BE(2)) {
      const end = 6 + buffer.readUInt32BE(2);
      answers.push({ type: buffer[0] ?? 0, body: buffer.subarray(6, end) });
      buffer = buffer.subarray(end);
    }
    wake();
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => {
      over = true;
      wake();
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    socket,
    answers,
    closed,
    send: (...bytes) => void socket.write(Buffer.concat(bytes)),
    async answer(index) {
      while (answers.length <= index && !over) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return answers[index];
    },
  };
}

/** A peer whose association is accepted. */
export async function associatedPeer(port: number, parts: RequestParts = {}): Promise<RawPeer> {
  const peer = await rawPeer(port);
  peer.send(associateRq(parts));
  const answer = await peer.answer(0);
  if (answer?.type !== pduTypes.ac) throw new Error(`not accepted: ${answer?.type}`);
  return peer;
}

/** (0000,0900) of a response PDU of one fragment. */
export function statusOf(answer: Answer | undefined): number | undefined {
  const at = answer?.body.indexOf(Buffer.from([0, 0, 0, 9, 2, 0, 0, 0])) ?? -1;
  return at < 0 ? undefined : answer?.body.readUInt16LE(at + 8);
}
