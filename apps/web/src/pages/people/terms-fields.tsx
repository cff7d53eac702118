import { NativeSelect, TextInput } from "@mantine/core";
import { purposeOf, purposes, type Role } from "#formats/api";
import { useFacilities } from "../../api/access-queries.ts";
import { type Purpose, purposeLabel } from "../../words/role-words.ts";
import { type GrantDraft, isForTenant } from "./grant-draft.ts";
import classes from "./people.module.css";

export interface PlaceChoice {
  readonly value: string;
  readonly label: string;
}

export interface TermsFieldsProps {
  readonly draft: GrantDraft;
  onDraft(draft: GrantDraft): void;
  /** Chosen so far. */
  readonly roles: readonly Role[];
  /** What is offered instead of everywhere and the facilities. */
  readonly places?: readonly PlaceChoice[] | undefined;
}

/** Where, what for, until when. */
export function TermsFields({ draft, onDraft, roles, places }: TermsFieldsProps) {
  const facilities = useFacilities();
  const choices = places ?? [
    { value: "tenant", label: "Everywhere" },
    ...facilities.map(({ id, name }) => ({ value: `facility:${id}`, label: name })),
  ];
  const [role] = roles;
  const isNarrowInVain = draft.place !== "tenant" && roles.some(isForTenant);
  return (
    <div className={classes.terms}>
      <NativeSelect
        label="Where"
        data={choices}
        value={draft.place}
        onChange={(event) => onDraft({ ...draft, place: event.currentTarget.value })}
        error={isNarrowInVain ? "Administrators and auditors work everywhere or not at all" : undefined}
      />
      {roles.length > 1 ? null : (
        <NativeSelect
          label="What for"
          data={purposes
            .filter((purpose) => purpose !== "break-glass")
            .map((purpose) => ({ value: purpose, label: purposeLabel(purpose) }))}
          value={draft.purpose ?? (role === undefined ? "treatment" : purposeOf(role))}
          onChange={(event) => onDraft({ ...draft, purpose: event.currentTarget.value as Purpose })}
        />
      )}
      <TextInput
        label="Until the end of"
        type="date"
        value={draft.until}
        onChange={(event) => onDraft({ ...draft, until: event.currentTarget.value })}
        description="Empty: until somebody ends it"
        inputWrapperOrder={["label", "input", "description", "error"]}
      />
    </div>
  );
}
