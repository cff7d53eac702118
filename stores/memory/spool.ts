import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import { type ParcelNote, type ParcelWriter, putBackMsMost, type Spool, type SubjectStanding } from "#radiology/uplink";
import { type Failing, withFailures } from "./failing.ts";

interface Held {
  readonly note: ParcelNote;
  readonly bytes: Buffer;
  readonly seq: number;
  isTaken: boolean;
  notBefore: number;
  aside: { readonly why: string; readonly at: number } | undefined;
}

const isToken = (text: string) => /^[0-9a-f]{32}$/.test(text);

export function createMemorySpool({ clock }: { readonly clock: Clock }): Spool & Failing {
  const held = new Map<string, Held>();
  const receipts = new Map<string, { readonly seq: number; readonly receipt: Uint8Array; readonly at: number }>();
  const listeners = new Set<() => void>();
  let lastSeq = 0;

  const tell = () => {
    for (const listener of listeners) listener();
  };
  const inOrderOf = () => [...held.values()].sort((a, b) => a.seq - b.seq);
  const waiting = () => inOrderOf().filter(({ aside }) => aside === undefined);
  const mayGo = ({ note, isTaken, notBefore, seq }: Held): boolean => {
    const early = notBefore - clock.now();
    if (isTaken || (early > 0 && early <= putBackMsMost)) return false;
    if (!note.inOrder) return true;
    const line = waiting().filter((each) => each.note.inOrder);
    return line[0]?.seq === seq && !line.some((each) => each.isTaken);
  };
  const begin = (): ParcelWriter => {
    const parts: Uint8Array[] = [];
    return {
      write: async (added) => void parts.push(...added.map((part) => Uint8Array.from(part))),
      async commit(note) {
        const bytes = Buffer.concat(parts);
        if (note.length !== bytes.length) throw new Problem("invalid", "a parcel is not as long as its note says");
        const tokens = [note.id, ...(note.subject === undefined ? [] : [note.subject])];
        if (!tokens.every(isToken) || note.sha256.length !== 32) throw new Problem("invalid", "this is no note");
        const there = held.get(note.id);
        if (there !== undefined && there.aside === undefined) return "there";
        held.set(note.id, { note, bytes, seq: ++lastSeq, isTaken: false, notBefore: 0, aside: undefined });
        tell();
        return "kept";
      },
      async abort() {},
    };
  };
  const standing = (subject: string): SubjectStanding | undefined => {
    const arrived = receipts.get(subject);
    const there = inOrderOf().findLast(({ note }) => note.subject === subject);
    if (arrived !== undefined && arrived.seq >= (there?.seq ?? 0)) {
      return { state: "arrived", receipt: arrived.receipt, at: arrived.at };
    }
    if (there?.aside !== undefined) return { state: "aside", since: there.aside.at };
    return there && { state: "waiting", since: there.note.putAt };
  };
  const again = (each: Held | undefined): number => {
    if (each?.aside === undefined) return 0;
    each.aside = undefined;
    return 1;
  };
  return withFailures<Spool>({
    begin: async () => begin(),
    async take(urgency, most) {
      const given: Held[] = [];
      for (const each of waiting()) {
        if (given.length >= most || each.note.urgency !== urgency || !mayGo(each)) continue;
        each.isTaken = true;
        given.push(each);
      }
      return given.map(({ note: { id, length, sha256 } }) => ({ id, length, sha256 }));
    },
    async read(id, from, to) {
      const { bytes } = held.get(id) ?? absent();
      if (from < 0 || from > to || to > bytes.length || to - from > 65_536)
        throw new Problem("invalid", "no such range");
      return Uint8Array.from(bytes.subarray(from, to));
    },
    async settle(id, receipt, at) {
      const { note: { subject } = {}, seq = 0 } = held.get(id) ?? {};
      if (subject !== undefined && seq >= (receipts.get(subject)?.seq ?? 0)) {
        receipts.set(subject, { seq, receipt: Uint8Array.from(receipt), at });
      }
      if (held.delete(id)) tell();
    },
    async putBack(id, notBefore) {
      const each = held.get(id);
      if (each === undefined) return;
      Object.assign(each, { isTaken: false, notBefore });
      if (notBefore <= clock.now()) tell();
      else clock.after(Math.min(notBefore - clock.now(), putBackMsMost), tell);
    },
    async setAside(id, why, at) {
      const each = held.get(id);
      if (each !== undefined) Object.assign(each, { isTaken: false, notBefore: 0, aside: { why: why.message, at } });
      tell();
    },
    async asides(most) {
      const all = [...held.values()].flatMap(({ note: { id, length, putAt }, aside }) =>
        aside === undefined ? [] : [{ id, length, putAt, asideAt: aside.at, why: aside.why }],
      );
      return all.sort((a, b) => a.asideAt - b.asideAt).slice(0, most);
    },
    async again(id) {
      const asked = id === undefined ? [...held.values()] : [held.get(id)];
      const count = asked.reduce((sum, each) => sum + again(each), 0);
      if (count > 0) tell();
      return count;
    },
    drop: async (id) => void (held.get(id)?.aside !== undefined && held.delete(id)),
    standing: async (subject) => standing(subject),
    async forget(olderMs) {
      const before = Math.max(...[...receipts.values()].map(({ at }) => at)) - olderMs;
      for (const [subject, { at }] of receipts) if (at < before) receipts.delete(subject);
    },
    state() {
      const all = waiting();
      const bytes = all.reduce((sum, { note }) => sum + note.length, 0);
      const oldestAt = all[0]?.note.putAt ?? null;
      return { parcels: all.length, bytes, oldestAt, aside: held.size - all.length };
    },
    onArrival(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {},
  });
}

function absent(): never {
  throw new Problem("absent", "the spool has no such parcel");
}
