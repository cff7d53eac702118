/** A step that is to be done, or was: DICOM values as they were scheduled. */
export interface ScheduledStepView {
  /** Stands for the step in our URLs. */
  readonly token: string;
  /** SCHEDULED, ARRIVED, READY, STARTED, COMPLETED, DISCONTINUED, or what else its planner calls it. */
  readonly status: string;
  /** YYYYMMDD and HHMMSS. */
  readonly startDate: string;
  readonly startTime: string;
  readonly modality: string;
  readonly stationAes: readonly string[];
  readonly description: string;
  readonly patientName: string;
  readonly patientId: string;
  readonly accessionNumber: string;
  /** Token of the facility that it is done in; empty: in none. */
  readonly facility: string;
}

export interface WorklistView {
  /** The first 1,000 in the order in which they are due. */
  readonly steps: readonly ScheduledStepView[];
  readonly total: number;
}

/** How many steps a worklist item was of, and what became of them. */
export interface ScheduledView {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}
