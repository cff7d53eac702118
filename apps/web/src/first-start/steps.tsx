import classes from "./first-start.module.css";

/** Where one is on the way. */
export function Steps({
  names,
  at,
  label,
}: {
  readonly names: readonly string[];
  readonly at: number;
  readonly label: string;
}) {
  return (
    <ol className={`${classes.steps} no-print`} aria-label={label}>
      {names.map((name, index) => (
        <li
          key={name}
          data-state={index < at ? "done" : index === at ? "now" : "ahead"}
          aria-current={index === at ? "step" : undefined}
        >
          <span className={classes.stepBar} />
          <span className={classes.stepName}>
            {index + 1}. {name}
          </span>
        </li>
      ))}
    </ol>
  );
}
