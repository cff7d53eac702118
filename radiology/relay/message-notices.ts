import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { OrderStatus } from "#formats/hl7";
import type { InstanceRecord } from "#radiology/archive";
import type { TellOrders } from "#radiology/schedule";
import type { Kept, RecordChange, Records } from "#trust/vault";
import type { Partner } from "./message-peers.ts";
import { timeOrderedIds } from "./time-ordered-ids.ts";

/** Something that partners are to be told of, as it rests until their messages are in the queue. */
export type Notice = { readonly at: number } & (
  | {
      readonly of: "order";
      /** Token of one of its steps. */
      readonly token: string;
      readonly status: OrderStatus;
      readonly facility: string;
      /** Id of the actor that did it, who is not told. */
      readonly by: string;
    }
  | {
      readonly of: "report";
      readonly studyToken: string;
      readonly sopUid: string;
      /** Stands for the document and its bytes. */
      readonly told: string;
    }
);

/** What is to be told, noted where it comes to pass: with the change itself, or before anybody could miss it. */
export interface Notices {
  readonly orders: TellOrders;
  /** To be called with instances before the index takes them in; until it resolves, a crash has them come again. */
  arriving(records: readonly InstanceRecord[]): Promise<void>;
  /** The oldest first. */
  waiting(): AsyncIterable<Kept<Notice>>;
  /** For `Records.change`, with the messages that came of it. */
  done(notice: Kept<Notice>): Promise<readonly RecordChange[]>;
  /** The one who is told when there is something new. */
  listen(listener: () => void): void;
}

export interface NoticesParts {
  readonly records: Records;
  readonly partners: () => Promise<readonly Partner[]>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Basic Text, Enhanced and Comprehensive SR (PS3.3 §A.35.1 to §A.35.3): what people write as reports. */
const reportClasses: ReadonlySet<string> = new Set(
  ["11", "22", "33"].map((last) => `1.2.840.10008.5.1.4.1.1.88.${last}`),
);
/** What came longer ago is found again when the index is made anew: everybody was told of it, or nobody was there. */
const newMs = 7 * 86_400_000;
/** So long it is known that a document was told of. */
const toldMs = newMs + 86_400_000;
const forgottenAtOnce = 100;

export function createNotices({ records, partners, clock, random }: NoticesParts): Notices {
  const shelf = records.shelf<Notice>("message-notice");
  const told = records.shelf<Record<string, never>>("report-told");
  const ids = timeOrderedIds(clock, () => newToken(random));
  let listener = () => {};

  const isTold = async (id: string) => (await told.get(id)) !== undefined;

  return {
    orders: {
      async changesFor(turns, by) {
        const all = (await partners()).filter(({ takes, id }) => takes.includes("status") && by.id !== `device:${id}`);
        const near = turns.filter(({ facility }) =>
          all.some((one) => one.facility === "" || one.facility === facility),
        );
        return near.map((turn) => shelf.put(ids.next(), { of: "order", ...turn, by: by.id, at: clock.now() }));
      },
      kept: () => listener(),
    },
    async arriving(arrived) {
      const reports = arrived.filter(
        ({ sopClassUid, receivedAt }) => reportClasses.has(sopClassUid) && receivedAt > clock.now() - newMs,
      );
      if (reports.length === 0 || !(await partners()).some(({ takes }) => takes.includes("results"))) return;
      for (const { studyToken, sopUid, dataSetSha256 } of reports) {
        const id = records.idOf("report-told", `${sopUid} ${dataSetSha256}`);
        if (await isTold(id)) continue;
        await records.change(shelf.put(ids.next(), { of: "report", studyToken, sopUid, told: id, at: clock.now() }));
      }
      listener();
    },
    waiting: () => shelf.all(),
    async done(notice) {
      const gone = shelf.remove(notice);
      const now = clock.now();
      const over = (await told.due(now, forgottenAtOnce)).map(told.remove);
      if (notice.value.of !== "report" || (await isTold(notice.value.told))) return [gone, ...over];
      return [gone, told.put(notice.value.told, {}, { dueAt: now + toldMs }), ...over];
    },
    listen(each) {
      listener = each;
    },
  };
}
