// A thread that holds connections: associations that do nothing, and HTTP clients that send a byte now and then. Those that are cut
// come back. It has a thread of its own so that what it does is not taken for the slowness of a modality beside it.
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { parentPort, workerData } from "node:worker_threads";
import { associateRq, context, ct, pduTypes } from "./dimse-peer.fixture.ts";

/** What is to be held. */
export interface Holding {
  readonly dicom: number;
  readonly https: number;
  readonly ca: string;
  readonly token: string;
  /** One for each association. */
  readonly callers: readonly { readonly title: string; readonly address: string }[];
  readonly clients: number;
}

/** How many are open now. */
export interface Held {
  readonly associations: number;
  readonly clients: number;
}

const holding = workerData as Holding;
const everyMs = 1_000;

function holdAssociation({ title, address }: Holding["callers"][number]) {
  let isHeld = false;
  let socket: Socket;
  const open = () => {
    socket = connect({ host: "127.0.0.1", port: holding.dicom, localAddress: address });
    socket.on("data", (bytes: Buffer) => {
      isHeld = bytes[0] === pduTypes.ac;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      isHeld = false;
    });
    socket.write(associateRq({ callingAe: title, contexts: [context(1, ct)] }));
  };
  open();
  return { isHeld: () => isHeld, again: () => (socket.destroyed ? open() : undefined), end: () => socket.destroy() };
}

/** Half of them never end their header, half of them send an upload byte by byte. */
function holdClient(number: number) {
  const isUpload = number % 2 === 1;
  const part = "--b\r\nContent-Type: application/dicom\r\n\r\n";
  const upload =
    `POST /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${holding.token}\r\n` +
    `Content-Type: multipart/related; type="application/dicom"; boundary=b\r\nContent-Length: 100000000\r\n\r\n${part}`;
  let socket: Socket;
  let turn = number;
  const open = () => {
    socket = connectTls({ host: "127.0.0.1", port: holding.https, servername: "localhost", ca: holding.ca });
    socket.on("error", () => {});
    socket.resume();
    socket.write(isUpload ? upload : "GET / HTTP/1.1\r\nX-Slow: ");
  };
  open();
  return {
    isHeld: () => !socket.destroyed,
    again() {
      if (socket.destroyed) open();
      else if (turn++ % 4 === 0) socket.write("a");
    },
    end: () => socket.destroy(),
  };
}

const associations = holding.callers.map(holdAssociation);
const clients = Array.from({ length: holding.clients }, (_, number) => holdClient(number));
const all = [...associations, ...clients];
const timer = setInterval(() => {
  for (const each of all) each.again();
  const held: Held = {
    associations: associations.filter(({ isHeld }) => isHeld()).length,
    clients: clients.filter(({ isHeld }) => isHeld()).length,
  };
  parentPort?.postMessage(held);
}, everyMs);
parentPort?.once("message", () => {
  clearInterval(timer);
  for (const each of all) each.end();
  parentPort?.close();
});
