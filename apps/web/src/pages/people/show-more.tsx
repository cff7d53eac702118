import { Button } from "@mantine/core";
import { useState } from "react";

const atOnce = 200;

/** The first of many, and a button for more of them. */
export function useSome<Row>(rows: readonly Row[]) {
  const [count, setCount] = useState(atOnce);
  const rest = rows.length - count;
  const more =
    rest <= 0 ? null : (
      <Button variant="default" mt="sm" onClick={() => setCount(count + 5 * atOnce)}>
        Show {Math.min(rest, 5 * atOnce).toLocaleString("en")} more
      </Button>
    );
  return { some: rest <= 0 ? rows : rows.slice(0, count), more };
}
