/** NUL cannot rest in PostgreSQL, and nothing of ours holds one: such a text is simply not found. */
export const storedText = (value: string): string => value.toWellFormed().replaceAll("\0", "\ufffd");
