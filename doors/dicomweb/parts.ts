import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import type { Archive } from "#radiology/archive";
import type { PixelWork, Transcoder } from "#radiology/images";
import type { WorkItems } from "#radiology/workitems";
import type { Actor } from "#trust/access";

export interface DicomwebParts {
  readonly archive: Archive;
  /** Where what is stored goes: on an edge, not to its own archive alone. */
  readonly intake: Pick<Archive, "receiveFile">;
  /** Who sends this request; the server has found it out before any route runs. */
  readonly actorOf: (request: FastifyRequest) => Actor;
  readonly clock: Clock;
  readonly log: Log;
  readonly pixels: PixelWork;
  readonly transcoder: Transcoder;
  /** How we name ourselves in the file meta information of what we write (PS3.10 §7.1). */
  readonly implementation: { readonly classUid: string; readonly version: string };
  /** Where the service stands: `/dicom-web`. */
  readonly root: string;
  /** Gives the token of a facility back, "" for none. Problem `absent` when no facility has it. */
  readonly requireFacility: (id: string) => Promise<string>;
  /** Whether pages of this origin (`https://viewer.example`) may call this service; asked for each request. */
  readonly isAllowedOrigin: (origin: string) => boolean;
  readonly workItems: WorkItems;
  /** Takes the connection of a request for a WebSocket out of HTTP's hands; undefined for any other request. */
  readonly takeUpgrade: (
    request: FastifyRequest,
    reply: FastifyReply,
  ) => { readonly socket: Duplex; readonly head: Buffer } | undefined;
  /** Calls when somebody may less than before: a session, a token or a grant has ended. Returns how to stop. */
  readonly watchEnded: (listener: () => void) => () => void;
  /** A proxy in front sets Forwarded or X-Forwarded-*, and nobody else can reach the server. False if left out. */
  readonly trustForwarded?: boolean;
}
