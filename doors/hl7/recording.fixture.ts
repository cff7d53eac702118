import { createVirtualClock } from "#base/clock";
import { seededRandom } from "#base/id";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { type DataSet, type DicomJson, toDicomJson } from "#formats/dicom";
import { messageLimits } from "#formats/hl7";
import { type AnswerParts, answersTo } from "./answers.ts";
import type { PartnerServices } from "./ports.ts";

/** What a partner's messages came to, in their order. */
export type Done = readonly [what: string, ...with_: unknown[]];

/** Partners of which all are known but one that calls itself STRANGER; what is done is a list. `orders` are those that are known. */
export function recordingPartners(orders: ReadonlySet<string> = new Set()) {
  const done: Done[] = [];
  const items: DicomJson[] = [];
  /** Each message that was answered: what it was, and what became of it. */
  const heard: string[] = [];
  const handedOn: string[] = [];
  const known = new Map<string, string>();
  const services: PartnerServices = {
    async once(controlId, digest, work) {
      const before = known.get(controlId);
      if (before !== undefined) return before === digest ? "known" : "other";
      await work();
      known.set(controlId, digest);
      return "done";
    },
    async schedule(item: () => DataSet) {
      items.push(toDicomJson(item()));
      done.push(["schedule"]);
    },
    async amendOrder(order, change) {
      if (!orders.has(order.placer) && !orders.has(order.filler)) throw new Problem("absent", "no such order");
      done.push(["amend", order.placer || order.filler, change]);
    },
    async changePatient({ id, authority }, values) {
      done.push(["patient", `${id}^${authority}`, values]);
    },
    async mergePatients(from, into) {
      done.push(["merge", `${from.id}^${from.authority}`, `${into.id}^${into.authority}`]);
    },
    async changePatientId(from, to) {
      done.push(["rename", `${from.id}^${from.authority}`, `${to.id}^${to.authority}`]);
    },
    uidFor: (text) =>
      `2.25.${[...text].reduce((sum, each) => sum * 31n + BigInt(each.charCodeAt(0)), 1n) % 10n ** 30n}`,
    stations: async () => ["CT1", "MR1"],
    async handOn(bytes) {
      handedOn.push(Buffer.from(bytes).toString("latin1"));
    },
    heard: async ({ kind, controlId, outcome, fault }) =>
      void heard.push([kind, controlId, outcome, fault?.condition ?? ""].join(" ")),
  };
  const clock = createVirtualClock(Date.UTC(2026, 2, 1));
  const parts: AnswerParts = {
    partners: { admit: async ({ application }) => (application === "STRANGER" ? undefined : services) },
    ...{ limits: messageLimits, clock, random: seededRandom(3), log: silentLog },
  };
  /** The answer to a message, as its segments. */
  const answer = async (message: string | Uint8Array) => {
    const bytes = typeof message === "string" ? Buffer.from(message) : message;
    const { messages, ...rest } = await answersTo(parts, bytes, { address: "10.0.0.9", certificates: undefined });
    const texts = messages.map((each) => Buffer.from(each).toString());
    const codes = texts.map((text) => {
      const code = /\rMSA\|([A-Z]{2})/.exec(text)?.[1];
      const error = /\rERR\|(?:\|[^|]*\||[^|\r]*\^)(\d{3})/.exec(text)?.[1];
      return error === undefined ? `${code}` : `${code} ${error}`;
    });
    return { ...rest, texts, code: codes.join(", ") };
  };
  return { done, items, heard, handedOn, parts, answer, clock };
}
