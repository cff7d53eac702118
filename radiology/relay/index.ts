export type { InstanceReference, JudgeKept, NotKept } from "./commitment.ts";
export type { Progress, Transfer, TransferState } from "./outbox.ts";
export { pauseMs } from "./pauses.ts";
export type {
  Availability,
  CommitmentReport,
  CommitmentRequest,
  FoundStudy,
  Peers,
  SendingAnswer,
  SendingRound,
} from "./peers.ts";
export type { CommitmentAnswer, Relay, RelayParts, SendRequest } from "./relay.ts";
export { commitmentMost, createRelay } from "./relay.ts";
