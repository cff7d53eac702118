export type {
  Attempt,
  NewTransfer,
  Outbox,
  OutboxLimits,
  OutboxParts,
  Perform,
  Priority,
  Progress,
  Transfer,
  TransferState,
} from "./outbox.ts";
export { createOutbox } from "./outbox.ts";
