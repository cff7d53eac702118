import {
  Button,
  Checkbox,
  type CheckboxProps,
  Fieldset,
  Group,
  NativeSelect,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import {
  deidentifyOptions,
  type RoutingRuleRequest,
  type RoutingRuleView,
  type RoutingText,
  routingTexts,
} from "#formats/api";
import { call } from "../../api/client.ts";
import { devicesQuery } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { dayNames, optionNames, textNames } from "../../words/routing-words.ts";
import { EditDialog } from "../people/edit-dialog.tsx";
import { Coercions } from "./coercion-fields.tsx";
import classes from "./routing.module.css";
import { requestOf, useRoutingChange } from "./routing-queries.ts";
import { draftOf, type RuleDraft, ruleOf } from "./rule-draft.ts";

interface RuleDialogProps {
  readonly opened: boolean;
  /** Undefined for a new one. */
  readonly rule: RoutingRuleView | undefined;
  readonly hasCloud: boolean;
  onClose(): void;
}

/** A rule as one makes it: which images, where to, what is changed on the way. */
export function RuleDialog({ opened, rule, hasCloud, onClose }: RuleDialogProps) {
  const before = draftOf(rule && requestOf(rule));
  const [draft, setDraft] = useState(before);
  const close = () => {
    save.reset();
    setDraft(before);
    onClose();
  };
  const save = useRoutingChange(
    (request: RoutingRuleRequest) =>
      rule === undefined
        ? call<RoutingRuleView>("POST", "/api/routing/rules", request)
        : call<RoutingRuleView>("PUT", `/api/routing/rules/${rule.id}`, request),
    () => {
      if (rule === undefined) setDraft(draftOf());
      onClose();
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(ruleOf(draft));
  };
  const isChanged = JSON.stringify(draft) !== JSON.stringify(before);
  const change = (more: Partial<RuleDraft>) => setDraft({ ...draft, ...more });
  const shared = { draft, change };
  return (
    <EditDialog
      title={rule === undefined ? "Add a rule" : `Change ${rule.name}`}
      opened={opened}
      loses={isChanged ? "Close, and throw away what you changed?" : undefined}
      onClose={close}
    >
      {(leave) => (
        <form onSubmit={submit}>
          <Stack gap="md">
            <TextInput
              label="Name"
              value={draft.name}
              onChange={(event) => change({ name: event.currentTarget.value })}
              required
              withAsterisk={false}
              maxLength={100}
              autoComplete="off"
              data-autofocus
            />
            <Conditions {...shared} />
            <Destinations {...shared} hasCloud={hasCloud} />
            <OnTheWay {...shared} />
            {save.isError ? <ProblemNote error={save.error} /> : null}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={leave}>
                Cancel
              </Button>
              <Button type="submit" loading={save.isPending}>
                Save
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </EditDialog>
  );
}

/** As high as a finger needs it. */
function Check(props: CheckboxProps) {
  return <Checkbox size="md" classNames={{ label: classes.check }} {...props} />;
}

interface DraftProps {
  readonly draft: RuleDraft;
  change(more: Partial<RuleDraft>): void;
}

function Conditions({ draft, change }: DraftProps) {
  const set = (text: RoutingText, more: Partial<{ typed: string; not: boolean }>) =>
    change({ texts: { ...draft.texts, [text]: { typed: "", not: false, ...draft.texts[text], ...more } } });
  return (
    <Fieldset legend="Which images">
      <Text size="sm" c="dimmed" mb="xs">
        All that is filled in must hold. Several values with commas between; * stands for anything, ? for one character.
      </Text>
      <Stack gap={6}>
        {routingTexts
          .filter((text) => text !== "machine")
          .map((text) => (
            <div key={text} className={classes.condition}>
              <span aria-hidden="true">{textNames[text]}</span>
              <Not
                label={`${textNames[text]} is or is not`}
                not={draft.texts[text]?.not ?? false}
                onNot={(not) => set(text, { not })}
              />
              <TextInput
                aria-label={textNames[text]}
                value={draft.texts[text]?.typed ?? ""}
                onChange={(event) => set(text, { typed: event.currentTarget.value })}
                autoComplete="off"
              />
            </div>
          ))}
        <Senders draft={draft} set={(more) => set("machine", more)} />
        <Hours draft={draft} change={change} />
      </Stack>
    </Fieldset>
  );
}

function Not({ label, not, onNot }: { readonly label: string; readonly not: boolean; onNot(not: boolean): void }) {
  return (
    <NativeSelect
      aria-label={label}
      data={["is", "is not"]}
      value={not ? "is not" : "is"}
      onChange={(event) => onNot(event.currentTarget.value === "is not")}
    />
  );
}

function Senders({
  draft,
  set,
}: {
  readonly draft: RuleDraft;
  set(more: Partial<{ typed: string; not: boolean }>): void;
}) {
  const devices = useQuery(devicesQuery).data ?? [];
  if (devices.length === 0) return null;
  const chosen = draft.texts.machine?.typed ?? "";
  return (
    <div className={classes.condition}>
      <span aria-hidden="true">{textNames.machine}</span>
      <Not label="Sent by device is or is not" not={draft.texts.machine?.not ?? false} onNot={(not) => set({ not })} />
      <NativeSelect
        aria-label={textNames.machine}
        data={[
          { value: "", label: "any" },
          ...devices.map(({ id, ae, address }) => ({ value: id, label: `${ae} at ${address}` })),
        ]}
        value={chosen}
        onChange={(event) => set({ typed: event.currentTarget.value })}
      />
    </div>
  );
}

function Hours({ draft, change }: DraftProps) {
  const { from, to, weekdays, isOutsideHours } = draft;
  const toggle = (day: number) =>
    change({ weekdays: weekdays.includes(day) ? weekdays.filter((one) => one !== day) : [...weekdays, day].sort() });
  return (
    <>
      <div className={classes.condition}>
        <span aria-hidden="true">Hours</span>
        <Not label="Hours are or are not" not={isOutsideHours} onNot={(not) => change({ isOutsideHours: not })} />
        <Group gap={6} wrap="nowrap">
          <TextInput
            type="time"
            aria-label="From"
            value={from}
            onChange={(event) => change({ from: event.currentTarget.value })}
          />
          <span>to</span>
          <TextInput
            type="time"
            aria-label="To"
            value={to}
            onChange={(event) => change({ to: event.currentTarget.value })}
          />
        </Group>
      </div>
      <Group gap="sm">
        {dayNames.map((name, day) => (
          <Check
            key={name}
            label={name.slice(0, 3)}
            aria-label={name}
            checked={weekdays.includes(day)}
            onChange={() => toggle(day)}
          />
        ))}
      </Group>
    </>
  );
}

function Destinations({ draft, change, hasCloud }: DraftProps & { readonly hasCloud: boolean }) {
  const takers = (useQuery(devicesQuery).data ?? []).filter(({ port }) => port > 0);
  const { machines } = draft;
  const toggle = (id: string) =>
    change({ machines: machines.includes(id) ? machines.filter((one) => one !== id) : [...machines, id] });
  return (
    <Fieldset legend="Go to">
      <Stack gap={6}>
        {hasCloud ? (
          <>
            <Check
              label="The cloud"
              checked={draft.cloud}
              onChange={(event) => change({ cloud: event.currentTarget.checked })}
            />
            <Check
              label="Kept here"
              checked={draft.keep}
              onChange={(event) => change({ keep: event.currentTarget.checked })}
            />
          </>
        ) : (
          <Text size="sm">Kept here, and sent on to:</Text>
        )}
        {takers.map(({ id, ae, address }) => (
          <Check key={id} label={`${ae} at ${address}`} checked={machines.includes(id)} onChange={() => toggle(id)} />
        ))}
        {takers.length === 0 ? (
          <Text size="sm" c="dimmed">
            No device takes images: Devices says where one takes them, by its port.
          </Text>
        ) : null}
      </Stack>
    </Fieldset>
  );
}

function OnTheWay({ draft, change }: DraftProps) {
  const { deidentify, options, project } = draft;
  const toggle = (option: (typeof deidentifyOptions)[number]) =>
    change({ options: options.includes(option) ? options.filter((one) => one !== option) : [...options, option] });
  return (
    <Fieldset legend="Changed on the way">
      <Stack gap={6}>
        <Text size="sm" c="dimmed">
          What is kept here is kept as it came. What an attribute said before stays in the image that leaves, unless
          that is de-identified.
        </Text>
        <Check
          label="De-identify (DICOM PS3.15 Annex E)"
          checked={deidentify}
          onChange={(event) => change({ deidentify: event.currentTarget.checked })}
        />
        {deidentify ? (
          <Stack gap={6} ml="lg">
            {deidentifyOptions.map((option) => (
              <Check
                key={option}
                label={optionNames[option]}
                checked={options.includes(option)}
                onChange={() => toggle(option)}
              />
            ))}
            <TextInput
              label="Project"
              description="A patient has other pseudonyms in each project"
              value={project}
              onChange={(event) => change({ project: event.currentTarget.value })}
              maxLength={64}
              autoComplete="off"
            />
          </Stack>
        ) : null}
        <Coercions coercions={draft.coercions} onCoercions={(coercions) => change({ coercions })} />
      </Stack>
    </Fieldset>
  );
}
