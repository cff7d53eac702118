import { purposes, roles } from "#formats/api";

/** JSON schema of an object of texts, each with its longest length; those in `optional` may be left out. */
export function textObject(
  lengths: Readonly<Record<string, number>>,
  optional: Readonly<Record<string, number>> = {},
): object {
  return {
    type: "object",
    additionalProperties: false,
    required: Object.keys(lengths),
    properties: Object.fromEntries(
      Object.entries({ ...lengths, ...optional }).map(([name, maxLength]) => [name, { type: "string", maxLength }]),
    ),
  };
}

export const placeSchema = {
  type: "object",
  additionalProperties: false,
  required: ["kind"],
  properties: {
    kind: { type: "string", enum: ["tenant", "facility", "patient", "study", "order"] },
    id: { type: "string", pattern: "^[0-9a-f]{32}$" },
  },
} as const;

/** `GrantTermsView` and, in a grant's own request, more. */
export const grantTermsSchema = {
  type: "object",
  additionalProperties: false,
  required: ["role", "place", "purpose", "endsAt"],
  properties: {
    role: { type: "string", enum: roles },
    place: placeSchema,
    purpose: { type: "string", enum: purposes },
    endsAt: { type: "integer", minimum: 0 },
  },
} as const;

/** The same with an authenticator's answer beside them. What it holds is checked where it is believed. */
export function answerObject(lengths: Readonly<Record<string, number>>): object {
  const texts = textObject(lengths) as { required: string[]; properties: object };
  const properties = { ...texts.properties, answer: { type: "object" } };
  return { ...texts, required: [...texts.required, "answer"], properties };
}
