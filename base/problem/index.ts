export type { ProblemCode } from "./problem.ts";
export { asProblem, isProblem, Problem } from "./problem.ts";
