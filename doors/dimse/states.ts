/** The states of PS3.8 §9.2.1 (Tables 9-1 to 9-5). */
export type State = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13;

/** The events of PS3.8 Table 9-10, by their numbers there. */
export const event = {
  associateRequest: 1,
  transportConfirmed: 2,
  associateAcceptPdu: 3,
  associateRejectPdu: 4,
  transportIndicated: 5,
  associateRequestPdu: 6,
  acceptResponse: 7,
  rejectResponse: 8,
  dataRequest: 9,
  dataPdu: 10,
  releaseRequest: 11,
  releaseRequestPdu: 12,
  releaseReplyPdu: 13,
  releaseResponse: 14,
  abortRequest: 15,
  abortPdu: 16,
  transportClosed: 17,
  artimExpired: 18,
  invalidPdu: 19,
} as const;

export type Event = (typeof event)[keyof typeof event];

/** The actions of PS3.8 Tables 9-6 to 9-9. */
export type Action =
  | `AE-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`
  | `DT-${1 | 2}`
  | `AR-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10}`
  | `AA-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`;

/**
 * The state after each action. Two leave a choice: AE-6 goes to 3, or to 13 when the provider refuses the request;
 * AR-8 (release collision) goes to 9 on the requestor's side and to 10 on the acceptor's.
 */
const after = {
  "AE-1": 4,
  "AE-2": 5,
  "AE-3": 6,
  "AE-4": 1,
  "AE-5": 2,
  "AE-6": [3, 13],
  "AE-7": 6,
  "AE-8": 13,
  "DT-1": 6,
  "DT-2": 6,
  "AR-1": 7,
  "AR-2": 8,
  "AR-3": 1,
  "AR-4": 13,
  "AR-5": 1,
  "AR-6": 7,
  "AR-7": 8,
  "AR-8": [9, 10],
  "AR-9": 11,
  "AR-10": 12,
  "AA-1": 13,
  "AA-2": 1,
  "AA-3": 1,
  "AA-4": 1,
  "AA-5": 1,
  "AA-6": 13,
  "AA-7": 13,
  "AA-8": 13,
} as const satisfies Record<Action, State | readonly [State, State]>;

const __ = undefined;

/** PS3.8 Table 9-10: a row an event, a column a state. An empty cell cannot happen, or is nothing to act on. */
// biome-ignore format: it is a table
const table: Record<Event, readonly (Action | undefined)[]> = {
  //   Sta1    Sta2    Sta3    Sta4    Sta5    Sta6    Sta7    Sta8    Sta9    Sta10    Sta11   Sta12   Sta13
  1:  ["AE-1", __,     __,     __,     __,     __,     __,     __,     __,     __,      __,     __,     __],
  2:  [__,     __,     __,     "AE-2", __,     __,     __,     __,     __,     __,      __,     __,     __],
  3:  [__,     "AA-1", "AA-8", __,     "AE-3", "AA-8", "AA-8", "AA-8", "AA-8", "AA-8",  "AA-8", "AA-8", "AA-6"],
  4:  [__,     "AA-1", "AA-8", __,     "AE-4", "AA-8", "AA-8", "AA-8", "AA-8", "AA-8",  "AA-8", "AA-8", "AA-6"],
  5:  ["AE-5", __,     __,     __,     __,     __,     __,     __,     __,     __,      __,     __,     __],
  6:  [__,     "AE-6", "AA-8", __,     "AA-8", "AA-8", "AA-8", "AA-8", "AA-8", "AA-8",  "AA-8", "AA-8", "AA-7"],
  7:  [__,     __,     "AE-7", __,     __,     __,     __,     __,     __,     __,      __,     __,     __],
  8:  [__,     __,     "AE-8", __,     __,     __,     __,     __,     __,     __,      __,     __,     __],
  9:  [__,     __,     __,     __,     __,     "DT-1", __,     "AR-7", __,     __,      __,     __,     __],
  10: [__,     "AA-1", "AA-8", __,     "AA-8", "DT-2", "AR-6", "AA-8", "AA-8", "AA-8",  "AA-8", "AA-8", "AA-6"],
  11: [__,     __,     __,     __,     __,     "AR-1", __,     __,     __,     __,      __,     __,     __],
  12: [__,     "AA-1", "AA-8", __,     "AA-8", "AR-2", "AR-8", "AA-8", "AA-8", "AA-8",  "AA-8", "AA-8", "AA-6"],
  13: [__,     "AA-1", "AA-8", __,     "AA-8", "AA-8", "AR-3", "AA-8", "AA-8", "AR-10", "AR-3", "AA-8", "AA-6"],
  14: [__,     __,     __,     __,     __,     __,     __,     "AR-4", "AR-9", __,      __,     "AR-4", __],
  15: [__,     __,     "AA-1", "AA-2", "AA-1", "AA-1", "AA-1", "AA-1", "AA-1", "AA-1",  "AA-1", "AA-1", __],
  16: [__,     "AA-2", "AA-3", __,     "AA-3", "AA-3", "AA-3", "AA-3", "AA-3", "AA-3",  "AA-3", "AA-3", "AA-2"],
  17: [__,     "AA-5", "AA-4", "AA-4", "AA-4", "AA-4", "AA-4", "AA-4", "AA-4", "AA-4",  "AA-4", "AA-4", "AR-5"],
  18: [__,     "AA-2", __,     __,     __,     __,     __,     __,     __,     __,      __,     __,     "AA-2"],
  19: [__,     "AA-1", "AA-8", __,     "AA-8", "AA-8", "AA-8", "AA-8", "AA-8", "AA-8",  "AA-8", "AA-8", "AA-7"],
};

/** What to do on `event` in `state`, and the state or states that may follow; undefined for an empty cell. */
export function transition(
  state: State,
  on: Event,
): { readonly action: Action; readonly next: State | readonly [State, State] } | undefined {
  const action = table[on][state - 1];
  return action === undefined ? undefined : { action, next: after[action] };
}
