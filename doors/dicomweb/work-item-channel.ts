import type { FastifyReply, FastifyRequest } from "fastify";
import { type WebSocket, WebSocketServer } from "ws";
import type { EventReport, Listening } from "#radiology/workitems";
import type { DicomwebParts } from "./parts.ts";
import { Refusal } from "./refusal.ts";

/** Who listens has nothing to say: a message of theirs is passed over, one of more bytes or too many between two beats end it. */
const incoming = { bytesMax: 1_024, messagesMax: 64 } as const;
const beatMs = 30_000;
/** A listener that does not take its reports is cut off; it comes back and asks how things stand. */
const unsentBytesMax = 4 * 1024 * 1024;
/** For its answer to our wish to close. */
const closingMs = 5_000;
const messageIdMax = 65_535;

/** Status codes of RFC 6455 §7.4.1 and its registry. */
const closing = { goingAway: 1001, refused: 1008, tryLater: 1013 } as const;

interface Channel {
  send(report: EventReport): void;
  check(): void;
  end(code: number): void;
}

/**
 * `GET /subscribers/{aetitle}` as a WebSocket (PS3.18 §8.10.4): event reports as DICOM JSON, one in each message (§8.10.5), as long as who opened
 * it may see work items.
 */
export function createWorkItemChannels(parts: DicomwebParts) {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: incoming.bytesMax,
  });
  const channels = new Set<Channel>();
  /** From the first channel on. */
  let stopWatching: (() => void) | undefined;
  const checkAll = () => {
    for (const channel of [...channels]) channel.check();
  };

  const open = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { workItems, actorOf, takeUpgrade } = parts;
    const { aetitle = "" } = request.params as { aetitle?: string };
    const early: EventReport[] = [];
    let send = (report: EventReport): void => void early.push(report);
    let end = (): void => {};
    const listener = { send: (report: EventReport) => send(report), end: () => end() };
    const listening = await workItems.listen(actorOf(request), aetitle, listener);
    const upgrade = takeUpgrade(request, reply);
    if (upgrade === undefined) {
      listening.stop();
      const headers = { upgrade: "websocket", connection: "Upgrade" };
      throw new Refusal(426, "event reports come by WebSocket", "open a WebSocket to this address", headers);
    }
    stopWatching ??= parts.watchEnded(checkAll);
    let isOpen = false;
    // Opens within the call, or answers what is wrong with the handshake and closes.
    server.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) => {
      isOpen = true;
      const channel = channelOver(socket, listening, parts, () => channels.delete(channel));
      channels.add(channel);
      send = channel.send;
      end = () => channel.end(closing.refused);
      for (const report of early.splice(0)) channel.send(report);
    });
    if (!isOpen) listening.stop();
    return reply;
  };
  return {
    open,
    close() {
      stopWatching?.();
      for (const channel of [...channels]) channel.end(closing.goingAway);
    },
  };
}

function channelOver(
  socket: WebSocket,
  listening: Listening,
  { clock }: Pick<DicomwebParts, "clock">,
  closed: () => void,
): Channel {
  let messageId = 0;
  let messages = 0;
  let isAnswering = true;
  const end = (code: number) => {
    beating.stop();
    listening.stop();
    closed();
    if (socket.readyState === socket.CLOSED) return;
    socket.close(code);
    // One that takes nothing does not take that either.
    clock.after(closingMs, () => socket.terminate());
  };
  const beat = () => {
    if (!isAnswering || messages > incoming.messagesMax) {
      end(closing.refused);
      return socket.terminate();
    }
    isAnswering = false;
    messages = 0;
    if (!listening.check()) return;
    socket.ping();
    beating = clock.after(beatMs, beat);
  };
  let beating = clock.after(beatMs, beat);
  socket.on("pong", () => {
    isAnswering = true;
  });
  socket.on("message", () => {
    if (++messages > incoming.messagesMax) end(closing.refused);
  });
  // Told before it closes: a frame that breaks the protocol, or is too large.
  socket.on("error", () => socket.terminate());
  socket.on("close", () => end(closing.goingAway));
  return {
    send(report) {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > unsentBytesMax) return end(closing.tryLater);
      messageId = (messageId % messageIdMax) + 1;
      const numbered = { ...report, "00000110": { vr: "US", Value: [messageId] } };
      socket.send(JSON.stringify(Object.fromEntries(Object.entries(numbered).sort(([a], [b]) => (a < b ? -1 : 1)))));
    },
    check: () => void listening.check(),
    end,
  };
}
