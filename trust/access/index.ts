export type { AccessStore, Account, Client, ClientToken, Device, Session, WaitingCaller } from "./access-store.ts";
