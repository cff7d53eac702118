/** Indices from `at` outward, twice as far ahead (the way one scrolls) as behind, at most `most` of them. */
export function outward(at: number, count: number, most: number): readonly number[] {
  const order: number[] = [];
  let ahead = at;
  let behind = at - 1;
  while (order.length < Math.min(most, count) && (ahead < count || behind >= 0)) {
    for (let step = 0; step < 2 && ahead < count; step += 1) order.push(ahead++);
    if (behind >= 0) order.push(behind--);
  }
  return order.slice(0, most);
}
