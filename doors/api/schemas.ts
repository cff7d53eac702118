/** JSON schema of an object whose members are all required texts, each with its longest length. */
export function textObject(lengths: Readonly<Record<string, number>>): object {
  return {
    type: "object",
    additionalProperties: false,
    required: Object.keys(lengths),
    properties: Object.fromEntries(
      Object.entries(lengths).map(([name, maxLength]) => [name, { type: "string", maxLength }]),
    ),
  };
}
