import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { MessageState } from "#formats/api";
import type { Kept, RecordChange, Records } from "#trust/vault";
import { timeOrderedIds } from "./time-ordered-ids.ts";

/** What a list shows of a message; nothing of what it says. */
export interface MessageHeading {
  readonly id: string;
  readonly direction: "in" | "out";
  /** Id of the device that it goes to, or came from. */
  readonly partner: string;
  /** MSH-9, its first components. */
  readonly kind: string;
  readonly controlId: string;
  readonly state: MessageState;
  readonly at: number;
  readonly changedAt: number;
  /** How often it was answered, or failed by what it is. */
  readonly attempts: number;
  /** Of what it says, in bytes. */
  readonly size: number;
  /** Why not, in our words. */
  readonly problem?: string;
  /** The message that it repeats. */
  readonly replayOf?: string;
}

/** What a message says, and what was answered. */
export interface MessageBytes {
  readonly bytes: Uint8Array;
  readonly isCut: boolean;
  readonly answers: readonly Uint8Array[];
}

export interface NewMessage extends Pick<MessageHeading, "direction" | "partner" | "kind" | "controlId" | "state"> {
  readonly bytes: Uint8Array;
  readonly answers?: readonly Uint8Array[];
  readonly problem?: string | undefined;
  readonly replayOf?: string | undefined;
}

/** How a message ended, or came to wait on. */
export interface MessageTurn extends Pick<MessageHeading, "state" | "attempts"> {
  readonly answer?: Uint8Array;
  readonly problem?: string;
}

/** Messages in and out, each sealed: their headings are held open, what they say is opened when it is asked for. */
export interface MessageStore {
  open(): Promise<void>;
  /** In the order in which they came to be. */
  all(): IterableIterator<MessageHeading>;
  get(id: string): MessageHeading | undefined;
  /** Problem-free: undefined when it is not there any more. */
  bytesOf(id: string): Promise<MessageBytes | undefined>;
  /** An id for a message that is not made yet: its control id is of it. */
  newId(): string;
  /** Puts them, with what else belongs to the same change; false when that was changed meanwhile. */
  add(messages: readonly (NewMessage & { readonly id: string })[], ...more: readonly RecordChange[]): Promise<boolean>;
  turn(id: string, to: MessageTurn): Promise<MessageHeading | undefined>;
  /** Puts away what ended long ago, or is more than is kept. */
  sweep(): Promise<void>;
}

export interface MessageStoreParts {
  readonly records: Records;
  readonly clock: Clock;
  readonly random: Random;
  /** How long one that is over is kept. */
  readonly keptMs: number;
}

/** That are over, and what they say in all. */
const endedMost = 50_000;
const endedBytesMost = 1024 * 1024 * 1024;
/** Of what one says: two thirds of what a record holds, in base64. */
export const messageBytesMost = 680 * 1024;
/** The newest answers, and of each. */
const answersMost = 8;
const answerBytesMost = 8 * 1024;
const wordsMost = 500;
/** In one go, the oldest: nowhere do more come between two of them. */
const sweptAtOnce = 5_000;

interface TextRecord {
  readonly bytes: string;
  readonly isCut?: true;
  readonly answers: readonly string[];
}

export function createMessageStore({ records, clock, random, keptMs }: MessageStoreParts): MessageStore {
  const headings = records.shelf<MessageHeading>("message");
  const texts = records.shelf<TextRecord>("message-text");
  const held = new Map<string, MessageHeading>();
  const ids = timeOrderedIds(clock, () => newToken(random));

  const packed = (bytes: Uint8Array, most: number) => Buffer.from(bytes.subarray(0, most)).toString("base64");
  const textOf = ({ bytes, answers = [] }: NewMessage): TextRecord => ({
    bytes: packed(bytes, messageBytesMost),
    ...(bytes.length > messageBytesMost && { isCut: true }),
    answers: answers.slice(-answersMost).map((answer) => packed(answer, answerBytesMost)),
  });
  const isOver = ({ state }: MessageHeading) => state !== "waiting";

  return {
    async open() {
      for await (const { value } of headings.all()) {
        held.set(value.id, value);
        ids.startAfter(value.id);
      }
    },
    all: () => held.values(),
    get: (id) => held.get(id),
    async bytesOf(id) {
      const kept = await texts.get(id);
      if (kept === undefined) return undefined;
      const { bytes, isCut = false, answers } = kept.value;
      const open = (text: string) => Buffer.from(text, "base64");
      return { bytes: open(bytes), isCut, answers: answers.map(open) };
    },
    newId: ids.next,
    async add(messages, ...more) {
      const at = clock.now();
      const made = messages.map((message): MessageHeading => {
        const { id, direction, partner, kind, controlId, state, problem, replayOf } = message;
        return {
          ...{ id, direction, partner, kind: kind.slice(0, 16), controlId: controlId.slice(0, 199), state },
          ...{ at, changedAt: at, attempts: direction === "in" ? 1 : 0 },
          size: Math.min(message.bytes.length, messageBytesMost),
          ...(problem !== undefined && { problem: problem.slice(0, wordsMost) }),
          ...(replayOf !== undefined && { replayOf }),
        };
      });
      const changes = messages.flatMap((message, nth) => [
        headings.put(message.id, made[nth] as MessageHeading),
        texts.put(message.id, textOf(message)),
      ]);
      if (!(await records.change(...changes, ...more))) return false;
      for (const heading of made) held.set(heading.id, heading);
      return true;
    },
    async turn(id, { state, attempts, answer, problem }) {
      for (;;) {
        const known: Kept<MessageHeading> | undefined = await headings.get(id);
        const text = await texts.get(id);
        if (known === undefined || text === undefined || isOver(known.value)) return undefined;
        const { problem: _last, ...rest } = known.value;
        const said = problem === undefined ? {} : { problem: problem.slice(0, wordsMost) };
        const next = { ...rest, state, attempts, changedAt: clock.now(), ...said };
        const answered = answer && [...text.value.answers, packed(answer, answerBytesMost)].slice(-answersMost);
        const changes = [
          headings.put(id, next, { known }),
          ...(answered ? [texts.put(id, { ...text.value, answers: answered }, { known: text })] : []),
        ];
        if (!(await records.change(...changes))) continue;
        held.set(id, next);
        return next;
      }
    },
    async sweep() {
      const over = [...held.values()].filter(isOver).reverse();
      const since = clock.now() - keptMs;
      let bytes = 0;
      const gone = over.filter(({ changedAt, size }, nth) => {
        bytes += size;
        return nth >= endedMost || bytes > endedBytesMost || changedAt <= since;
      });
      for (const { id } of gone.slice(-sweptAtOnce)) {
        const [known, text] = await Promise.all([headings.get(id), texts.get(id)]);
        const changes = [...(known ? [headings.remove(known)] : []), ...(text ? [texts.remove(text)] : [])];
        if (await records.change(...changes)) held.delete(id);
      }
    },
  };
}
