import { Problem } from "#base/problem";
import type { HeldReason, HeldView } from "#formats/api";
import { type HeldShelf, openHeldShelf, type Records } from "#trust/vault";

/** What was held back, by rule, machine, study and reason. */
export interface HeldList {
  /** The newest first. */
  list(): readonly HeldView[];
  note(held: Omit<HeldView, "id" | "count" | "at">, count: number, at: number): Promise<void>;
  /** It is not shown any more. Problem `absent` without it. */
  forget(id: string): Promise<void>;
}

const kind = "routing-held";
/** Of more the oldest are not shown any more. */
const shownMost = 2_000;

type Held = Omit<HeldView, "id">;

export async function openHeldList(records: Records): Promise<HeldList> {
  const shelf: HeldShelf<Held> = await openHeldShelf<Held>({
    ...{ records, kind, recordsMax: shownMost, charactersMax: shownMost * 500 },
    full: () => new Problem("no-room", "too much was held back"),
  });
  const oldest = () => shelf.all().reduce((first, one) => (one.value.at < first.value.at ? one : first)).id;

  return {
    list: () =>
      shelf
        .all()
        .map(({ id, value }) => ({ id, ...value }))
        .sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1)),
    note: (held, count, at) =>
      shelf.inTurn(async () => {
        const id = records.idOf(kind, [held.rule, held.to, held.study, held.reason satisfies HeldReason].join(" "));
        const before = shelf.get(id)?.value;
        const value = { ...held, count: (before?.count ?? 0) + count, at };
        const room = before === undefined && shelf.all().length >= shownMost ? [[oldest(), undefined] as const] : [];
        await shelf.change(new Map([...room, [id, { value }]]));
      }),
    forget: (id) =>
      shelf.inTurn(async () => {
        if (shelf.get(id) === undefined) throw new Problem("absent", "nothing such is held back");
        await shelf.change(new Map([[id, undefined]]));
      }),
  };
}
