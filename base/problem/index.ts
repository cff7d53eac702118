export type { ProblemCode } from "./problem.ts";
export { asProblem, isPassing, isProblem, Problem } from "./problem.ts";
