import { createTurns } from "#base/turns";
import { type CommandSet, encodeCommand, noDataSet } from "./command.ts";
import { type DataSetSource, encodeFragments, fragmentBytesFor, sendDataSet } from "./fragments.ts";
import type { UpperLayer } from "./upper-layer.ts";

/** Whole messages to one peer: the fragments of one never stand between those of another (PS3.8 Annex E). */
export interface Outbox {
  /**
   * Sends a message at once or, while a data set is on its way, after it. False when the association is gone. The command says
   * itself whether a data set follows.
   */
  put(contextId: number, command: CommandSet, dataSet?: Uint8Array): boolean;
  /** Sends a data set as it comes, its command in front. Rejects when the association ends before, or the source fails. */
  stream(contextId: number, command: CommandSet, dataSet: DataSetSource, onSent: () => void): Promise<void>;
  /** Resolves when what was put is on its way and the transport takes more, or is gone. */
  drained(): Promise<void>;
  /** More waits than a peer that keeps to its window can cause. */
  crowded(): boolean;
}

const waitingMax = 64;
/** (0000,0800) for a data set that follows; any value but `noDataSet`. */
const someDataSet = 0x0001;

export function createOutbox(layer: Pick<UpperLayer, "send" | "drained">, peerPduBytesMax: number): Outbox {
  const fragmentBytes = fragmentBytesFor(peerPduBytesMax);
  const turns = createTurns();
  let waiting = 0;

  const encoded = (contextId: number, command: CommandSet) =>
    encodeFragments(contextId, true, encodeCommand(command), fragmentBytes);
  const send = (contextId: number, command: CommandSet, dataSet: Uint8Array | undefined): boolean =>
    dataSet === undefined
      ? layer.send(encoded(contextId, { ...command, CommandDataSetType: noDataSet }))
      : layer.send(
          encoded(contextId, { ...command, CommandDataSetType: someDataSet }),
          encodeFragments(contextId, false, dataSet, fragmentBytes),
        );
  /** Runs `work` when all that came before is sent. */
  const inTurn = (work: () => Promise<void> | void): Promise<void> => {
    waiting++;
    return turns.take(async () => {
      try {
        await work();
      } finally {
        waiting--;
      }
    });
  };

  return {
    put(contextId, command, dataSet) {
      if (waiting === 0) return send(contextId, command, dataSet);
      void inTurn(() => void send(contextId, command, dataSet));
      return true;
    },
    stream: (contextId, command, dataSet, onSent) =>
      inTurn(() => {
        const head = encoded(contextId, { ...command, CommandDataSetType: someDataSet });
        return sendDataSet(layer, contextId, head, dataSet, fragmentBytes, onSent);
      }),
    async drained() {
      await turns.idle();
      await layer.drained();
    },
    crowded: () => waiting > waitingMax,
  };
}
