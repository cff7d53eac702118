export type { InstanceReference, JudgeKept, NotKept } from "./commitment.ts";
export type { Notices } from "./message-notices.ts";
export { createNotices } from "./message-notices.ts";
export type { Deliver, MessageReply, Partner } from "./message-peers.ts";
export type { MessageBytes, MessageHeading } from "./message-store.ts";
export type { HeardMessage, MessageChoice, Messages, MessagesParts, PartnerState } from "./messages.ts";
export { createMessages } from "./messages.ts";
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
