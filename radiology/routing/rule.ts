import type { ChangesView, CoercionView, DeidentifyView, RoutingRuleRequest } from "#formats/api";

/** What is changed in an instance on its way out. */
export type Changes = ChangesView;
export type Coercion = CoercionView;
export type Deidentification = DeidentifyView;

export interface RoutingRule extends RoutingRuleRequest {
  readonly id: string;
}
