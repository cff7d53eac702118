// What goes over connections, both ways, as a capture that tshark reads: taken by a relay, so that no privilege is needed.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** The port that the called side has in the capture, whatever it was. */
const capturedPort = 11_112;
/** Bytes of a segment: an IPv4 packet holds no more than 65,535. */
const segmentBytesMost = 16_384;

export interface Wire {
  /** A port that leads to another on this machine, and is listened in on. */
  relayTo(port: number): Promise<number>;
  /** The bytes that were seen, in a file as libpcap writes it. */
  save(path: string): void;
  close(): Promise<void>;
}

export function openWire(): Wire {
  const packets: Buffer[] = [];
  const closing: (() => Promise<void>)[] = [];
  let connections = 0;
  return {
    async relayTo(port) {
      const open = new Set<Socket>();
      const server = createServer({ noDelay: true }, (near) => {
        const far = connect({ port, host: "127.0.0.1", noDelay: true });
        const line = createLine(20_000 + connections++, (packet) => packets.push(packet));
        for (const [from, to, way] of [[near, far, "called"] as const, [far, near, "caller"] as const]) {
          open.add(from);
          from.on("data", (bytes: Buffer) => {
            line(way, bytes);
            to.write(bytes);
          });
          from.on("end", () => to.end());
          from.on("error", () => to.destroy());
          from.on("close", () => open.delete(from));
        }
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      closing.push(async () => {
        for (const socket of open) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      });
      return (server.address() as AddressInfo).port;
    },
    save: (path) => writeFileSync(path, asPcap(packets)),
    close: async () => void (await Promise.all(closing.map((one) => one()))),
  };
}

/** Packets of one connection: its opening, then the bytes as they come. */
function createLine(callerPort: number, take: (packet: Buffer) => void) {
  const sent = { called: 1, caller: 1 };
  const packet = (to: "called" | "caller", flags: number, bytes: Uint8Array, seq: number, ack: number) =>
    take(packetOf(to === "called" ? [callerPort, capturedPort] : [capturedPort, callerPort], [seq, ack], flags, bytes));
  const [nothing, syn, acknowledged, pushed] = [new Uint8Array(0), 0x02, 0x10, 0x18];
  packet("called", syn, nothing, 0, 0);
  packet("caller", syn | acknowledged, nothing, 0, 1);
  packet("called", acknowledged, nothing, 1, 1);
  return (to: "called" | "caller", bytes: Buffer) => {
    const back = to === "called" ? "caller" : "called";
    for (let at = 0; at < bytes.length; at += segmentBytesMost) {
      const segment = bytes.subarray(at, at + segmentBytesMost);
      packet(to, pushed, segment, sent[to], sent[back]);
      sent[to] += segment.length;
    }
  };
}

/** IPv4 (RFC 791) and TCP (RFC 9293) without options; the sums are left out, which tshark does not look at. */
function packetOf(
  [from, to]: readonly [number, number],
  [seq, ack]: readonly [number, number],
  flags: number,
  bytes: Uint8Array,
): Buffer {
  const head = Buffer.alloc(40);
  head.writeUInt8(0x45, 0);
  head.writeUInt16BE(head.length + bytes.length, 2);
  head.writeUInt8(64, 8);
  head.writeUInt8(6, 9);
  for (const at of [12, 16]) head.writeUInt32BE(0x7f000001, at);
  head.writeUInt16BE(from, 20);
  head.writeUInt16BE(to, 22);
  head.writeUInt32BE(seq, 24);
  head.writeUInt32BE(ack, 28);
  head.writeUInt8(0x50, 32);
  head.writeUInt8(flags, 33);
  head.writeUInt16BE(0xffff, 34);
  return Buffer.concat([head, bytes]);
}

const rawIp = 101;

/** A millisecond between any two: only their order is of interest. */
function asPcap(packets: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(rawIp, 20);
  const records = packets.flatMap((packet, at) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(Math.floor(at / 1_000), 0);
    record.writeUInt32LE((at % 1_000) * 1_000, 4);
    record.writeUInt32LE(packet.length, 8);
    record.writeUInt32LE(packet.length, 12);
    return [record, packet];
  });
  return Buffer.concat([head, ...records]);
}

/** What tshark says of the capture as DICOM: a line for each packet that the filter lets through, of these fields. */
export function tshark(path: string, filter: string, fields: readonly string[]): string[] {
  const words = ["-n", "-r", path, "-d", `tcp.port==${capturedPort},dicom`, "-Y", filter, "-T", "fields"];
  const done = spawnSync("tshark", [...words, ...fields.flatMap((field) => ["-e", field])], {
    encoding: "utf8",
    maxBuffer: 64 * 2 ** 20,
  });
  if (done.status !== 0) throw new Error(`tshark: ${done.stderr}`);
  return done.stdout.split("\n").filter((line) => line !== "");
}
