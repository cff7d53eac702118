import { Button, type ButtonProps } from "@mantine/core";
import type { ReactNode } from "react";

/** The head of the column of acts, the last of a table of rows. */
export function ActsHead() {
  return (
    <th>
      <span className="visually-hidden">Acts</span>
    </th>
  );
}

interface RowActProps extends Pick<ButtonProps, "loading"> {
  readonly children: ReactNode;
  /** What it does, with what it does it to: rows have many of the same word. */
  readonly label: string;
  onClick(): void;
}

/** What may be done to what stands in a row. */
export function RowAct({ label, ...button }: RowActProps) {
  return <Button size="compact-sm" variant="default" aria-label={label} {...button} />;
}
