export { createSampleHistory, type SampleHistory } from "./sample-history.ts";
