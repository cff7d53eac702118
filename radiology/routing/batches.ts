import type { Clock } from "#base/clock";

/** A series on its way from here to a machine: those of its instances that came one soon after the other. */
export interface Batch {
  readonly rule: string;
  /** Id of the machine. */
  readonly to: string;
  readonly studyToken: string;
  readonly seriesUid: string;
  /** When the first of them came, epoch milliseconds: with the rest, what makes it this batch. */
  readonly since: number;
}

/** Whether a batch may be sent by now: up to which arrival it reaches, or when to ask again. */
export type Closing = { readonly until: number } | { readonly restsAt: number };

/**
 * Which instances belong to which batch. Each belongs to one, by the time of its arrival: a batch is queued with its first instance, before
 * that is acknowledged, takes in what comes while the series does not rest, and reaches from then on no further. So none is left out after a
 * crash, and none is sent again for one that comes late.
 */
export interface Batches {
  /** Resolves when the batch that the instance belongs to is queued; what is returned is to be called when it is stored, or is not. */
  join(batch: Omit<Batch, "since">, at: number): Promise<() => void>;
  close(batch: Batch): Closing;
}

interface Open {
  readonly since: number;
  last: number;
  /** By the clock: arrivals are stamped by a time that may be ahead of it. */
  joinedAt: number;
  underWay: number;
  readonly queued: Promise<void>;
}

/** A series has come to rest when nothing of it has come for so long. */
export const restMs = 3_000;

export interface BatchesParts {
  readonly clock: Clock;
  /** What arrivals are stamped with, epoch milliseconds. */
  readonly stamp: () => number;
  /** Resolves when the batch rests where it will be sent from. */
  readonly queue: (batch: Batch) => Promise<void>;
}

export function createBatches({ clock, stamp, queue }: BatchesParts): Batches {
  const beganAt = stamp();
  /** By rule, machine and series. */
  const open = new Map<string, Open>();
  const keyOf = ({ rule, to, seriesUid }: Omit<Batch, "since">) => `${rule} ${to} ${seriesUid}`;

  return {
    async join(batch, at) {
      const key = keyOf(batch);
      const joined = open.get(key) ?? {
        ...{ since: at, last: at, joinedAt: 0, underWay: 0 },
        queued: queue({ ...batch, since: at }),
      };
      open.set(key, joined);
      joined.underWay++;
      joined.last = Math.max(joined.last, at);
      joined.joinedAt = clock.now();
      const leave = () => {
        joined.underWay--;
      };
      try {
        await joined.queued;
      } catch (error) {
        leave();
        if (open.get(key) === joined) open.delete(key);
        throw error;
      }
      return leave;
    },
    close(batch) {
      const key = keyOf(batch);
      const known = open.get(key);
      // Queued by a process that is no more: nothing joins it now. One that was closed before in this one knows how far it reaches.
      if (known?.since !== batch.since) return { until: batch.since < beganAt ? beganAt - 1 : stamp() };
      const restsAt = (known.underWay > 0 ? clock.now() : known.joinedAt) + restMs;
      if (restsAt > clock.now()) return { restsAt };
      open.delete(key);
      return { until: known.last };
    },
  };
}
