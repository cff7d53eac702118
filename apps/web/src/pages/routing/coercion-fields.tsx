import { Button, Group, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { type CoercionView, coercionKinds } from "#formats/api";
import { coercionNames } from "../../words/routing-words.ts";
import classes from "./routing.module.css";
import type { CoercionDraft } from "./rule-draft.ts";

interface CoercionsProps {
  readonly coercions: readonly CoercionDraft[];
  onCoercions(coercions: readonly CoercionDraft[]): void;
}

/** Changes of attributes, one after the other. */
export function Coercions({ coercions, onCoercions }: CoercionsProps) {
  const add = () => onCoercions([...coercions, { does: "set", attribute: "", pattern: "", more: "" }]);
  return (
    <>
      {coercions.map((coercion, at) => (
        <CoercionFields
          // biome-ignore lint/suspicious/noArrayIndexKey: they have no other name, and none is moved
          key={at}
          place={at + 1}
          coercion={coercion}
          onCoercion={(next) =>
            onCoercions(next === undefined ? coercions.toSpliced(at, 1) : coercions.toSpliced(at, 1, next))
          }
        />
      ))}
      <Group>
        <Button size="compact-sm" variant="default" onClick={add}>
          Change an attribute
        </Button>
      </Group>
    </>
  );
}

interface CoercionFieldsProps {
  readonly place: number;
  readonly coercion: CoercionDraft;
  /** Undefined: it goes. */
  onCoercion(coercion: CoercionDraft | undefined): void;
}

const moreNames: Readonly<Record<CoercionView["does"], string>> = {
  ...{ set: "to", prefix: "this text", copy: "attribute", map: "old = new, one a line", rewrite: "into", remove: "" },
};

function CoercionFields({ place, coercion, onCoercion }: CoercionFieldsProps) {
  const { does, attribute, pattern, more } = coercion;
  const change = (next: Partial<CoercionDraft>) => onCoercion({ ...coercion, ...next });
  const label = `${moreNames[does]}, change ${place}`;
  return (
    <div className={classes.coercion}>
      <NativeSelect
        aria-label={`What is done, change ${place}`}
        data={coercionKinds.map((kind) => ({ value: kind, label: coercionNames[kind] }))}
        value={does}
        onChange={(event) => change({ does: event.currentTarget.value as CoercionView["does"] })}
      />
      <TextInput
        aria-label={`Attribute, change ${place}`}
        placeholder="InstitutionName"
        value={attribute}
        onChange={(event) => change({ attribute: event.currentTarget.value })}
        autoComplete="off"
      />
      {does === "rewrite" ? (
        <TextInput
          aria-label={`Pattern, change ${place}`}
          placeholder="OLD-*"
          value={pattern}
          onChange={(event) => change({ pattern: event.currentTarget.value })}
          autoComplete="off"
        />
      ) : null}
      {does === "map" ? (
        <Textarea
          aria-label={label}
          placeholder={moreNames.map}
          value={more}
          onChange={(event) => change({ more: event.currentTarget.value })}
          autosize
          minRows={2}
        />
      ) : null}
      {does === "set" || does === "prefix" || does === "copy" || does === "rewrite" ? (
        <TextInput
          aria-label={label}
          placeholder={moreNames[does]}
          value={more}
          onChange={(event) => change({ more: event.currentTarget.value })}
          autoComplete="off"
        />
      ) : null}
      <Button
        size="compact-sm"
        variant="default"
        onClick={() => onCoercion(undefined)}
        aria-label={`Take change ${place} out`}
      >
        Take out
      </Button>
    </div>
  );
}
