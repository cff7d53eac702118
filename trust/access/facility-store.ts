/** A place of the customer's own that machines stand in, and that somebody may be granted: a hospital, a practice. */
export interface Facility {
  /** Token: what grants and stored images name. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
}

/** Port: facilities. Every write is durable when it resolves. */
export interface FacilityStore {
  /** Problem `conflict` when the name is taken. */
  addFacility(facility: Facility): Promise<void>;
  /** Oldest first. */
  facilities(): Promise<Facility[]>;
  /** False when there is none. Problem `conflict` when the name is another's. */
  renameFacility(id: string, name: string): Promise<boolean>;
}
