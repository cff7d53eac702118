import { grantOf } from "./grant-store.contract.ts";
import { createPolicy, type Grant, type Policy, type Role } from "./index.ts";

/** A policy in which these actors (by id) hold these roles for the whole tenant, or these grants; all others hold none. */
export function policyWhere(held: Readonly<Record<string, readonly (Role | Grant)[]>> = {}): Policy {
  const grants = new Map(
    Object.entries(held).map(([holder, given]) => [
      holder,
      given.map((one, at) => (typeof one === "string" ? grantOf(`${holder} ${at}`, holder, { role: one }) : one)),
    ]),
  );
  return createPolicy({ liveOf: (holder) => grants.get(holder) ?? [] });
}
