import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** A system that sends HL7 messages over one connection, and hears what is answered. */
export interface Sender {
  /** Sends bytes as they are. */
  write(bytes: string | Uint8Array): void;
  /** The next message that comes, without its frame; undefined when the other end has closed. */
  next(): Promise<string | undefined>;
  /** Sends one in a frame and waits for what is answered. */
  send(message: string): Promise<string | undefined>;
  close(): void;
}

export const inFrame = (message: string) => `\u000b${message}\u001c\r`;

export function senderAt(port: number | null): Sender {
  return senderOn(connect({ host: "127.0.0.1", port: port ?? 0, noDelay: true }));
}

export function senderOn(socket: Socket): Sender {
  let buffered = Buffer.alloc(0);
  let isClosed = false;
  let changed = () => {};
  socket.on("data", (bytes) => {
    buffered = Buffer.concat([buffered, bytes]);
    changed();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
    changed();
  });
  const next = async (): Promise<string | undefined> => {
    for (;;) {
      const ends = buffered.indexOf(0x1c);
      if (ends >= 0) {
        const text = buffered.subarray(buffered.indexOf(0x0b) + 1, ends).toString();
        buffered = buffered.subarray(ends + 2);
        return text;
      }
      if (isClosed) return undefined;
      await new Promise<void>((resolve) => (changed = resolve));
    }
  };
  return {
    write: (bytes) => void socket.write(bytes),
    next,
    send(message) {
      socket.write(inFrame(message));
      return next();
    },
    close: () => void socket.destroy(),
  };
}

/** What of a message a test says; the rest is made up. Segments are joined as they must be. */
export function messageOf(type: string, controlId: string, segments: readonly string[], header = ""): string {
  const [application, facility] = ["HIS", "CLINIC"];
  const msh = `MSH|^~\\&|${application}|${facility}|LEADGLASS|RAD|20260301080000||${type}|${controlId}|P|2.5.1${header}`;
  return `${[msh, ...segments].join("\r")}\r`;
}

/** MSA-1 of an answer, and ERR-3 where it has one. */
export function codeOf(answer: string | undefined): string {
  const code = /\rMSA\|([A-Z]{2})/.exec(answer ?? "")?.[1] ?? "none";
  const error = /\rERR\|\|[^|]*\|(\d+)/.exec(answer ?? "")?.[1];
  return error === undefined ? code : `${code} ${error}`;
}

/** A system that takes HL7 messages, and answers as it is told. */
export interface Receiver {
  readonly port: number;
  /** What came, without frames. */
  readonly heard: readonly string[];
  /** Resolves when so many have come. */
  until(count: number): Promise<void>;
  /** What is answered from now on: bytes as they are, or a code; undefined: nothing. */
  answering(says: (message: string) => string | Uint8Array | undefined): void;
  /** Connections that were made. */
  connections(): number;
  stop(): Promise<void>;
}

export const controlIdOf = (message: string) => message.split("|")[9] ?? "";

/** With key and certificate over TLS. */
export async function receiverAt(port = 0, tls?: { readonly key: Buffer; readonly cert: Buffer }): Promise<Receiver> {
  const heard: string[] = [];
  const open = new Set<Socket>();
  let connections = 0;
  let says: (message: string) => string | Uint8Array | undefined = () => "AA";
  let changed = () => {};
  const take = async (socket: Socket) => {
    connections++;
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    const theirs = senderOn(socket);
    for (let message = await theirs.next(); message !== undefined; message = await theirs.next()) {
      heard.push(message);
      const said = says(message);
      const msa = `MSA|${said}|${controlIdOf(message)}`;
      const answer = `MSH|^~\\&|RIS||LEADGLASS||20260301||ACK|${heard.length}|P|2.5.1\r${msa}\r`;
      if (typeof said === "string") theirs.write(inFrame(answer));
      else if (said !== undefined) theirs.write(said);
      changed();
    }
  };
  const server = tls === undefined ? createServer(take) : createTlsServer(tls, take);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : port,
    heard,
    connections: () => connections,
    async until(count) {
      while (heard.length < count) await new Promise<void>((resolve) => (changed = resolve));
    },
    answering(next) {
      says = next;
    },
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
