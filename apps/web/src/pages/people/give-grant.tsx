import { Autocomplete, Button, Group, NativeSelect, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type GrantRequest, type GrantView, type Role, rolesOfPeople } from "#formats/api";
import { accessChanged, clientsQuery } from "../../api/access-queries.ts";
import { call } from "../../api/client.ts";
import { peopleQuery, useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { roleLabel, roleSays } from "../../words/role-words.ts";
import { EditDialog } from "./edit-dialog.tsx";
import { isChanged, isForOne, newDraft, termsOf } from "./grant-draft.ts";
import { linkIsLost, typedIsLost, useInvite } from "./invite-person.tsx";
import { IssuedLink } from "./issued-link.tsx";
import { type PlaceChoice, TermsFields } from "./terms-fields.tsx";

export interface GiveGrantProps {
  readonly opened: boolean;
  onClose(): void;
  /** Who is given it; undefined: is chosen here. */
  readonly to?: string;
  /** Where, if it is not to be everywhere or a facility. The first one stands at the beginning. */
  readonly places?: readonly PlaceChoice[];
  readonly title?: string;
}

/** One more grant for an account or a program; on a study also for somebody who is new. */
export function GiveGrant(props: GiveGrantProps) {
  const { opened, onClose, to, places, title = to === undefined ? "Give a grant" : `Give ${to} a grant` } = props;
  const begun = newDraft(places?.[0]?.value);
  const [isNew, setNew] = useState(false);
  const [name, setName] = useState(to ?? "");
  const [role, setRole] = useState<Role>("referrer");
  const [draft, setDraft] = useState(begun);
  const [isCopied, setCopied] = useState(false);
  const give = useGive();
  const invite = useInvite();
  const close = () => {
    setName(to ?? "");
    setDraft(begun);
    setNew(false);
    setCopied(false);
    give.reset();
    invite.reset();
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const terms = termsOf(role, draft);
    if (isNew) return invite.mutate({ name: name.trim(), grants: [terms] });
    give.mutate({ name: name.trim(), ...terms }, { onSuccess: close });
  };
  const made = invite.data;
  const isTyped = name !== (to ?? "") || isChanged(draft, begun);
  const loses = made !== undefined ? (isCopied ? undefined : linkIsLost) : isTyped ? typedIsLost : undefined;
  const problem = give.error ?? invite.error;
  return (
    <EditDialog
      title={made === undefined ? title : `${made.name} is invited`}
      opened={opened}
      loses={loses}
      onClose={close}
    >
      {(leave) =>
        made !== undefined ? (
          <IssuedLink
            {...made}
            says={`With this link ${made.name} makes the account; what it shows is what was granted here.`}
            onCopied={() => setCopied(true)}
            onDone={leave}
          />
        ) : (
          <form onSubmit={submit}>
            <Stack gap="md">
              {places === undefined ? null : <NewOrKnown isNew={isNew} onNew={setNew} />}
              {to === undefined ? <NameField name={name} onName={setName} isNew={isNew} /> : null}
              <RoleField role={role} onRole={setRole} name={name} isForStudy={places !== undefined} />
              <TermsFields draft={draft} onDraft={setDraft} roles={[role]} places={places} />
              {problem === null ? null : <ProblemNote error={problem} />}
              <Group justify="flex-end" gap="xs">
                <Button variant="default" onClick={leave}>
                  Not now
                </Button>
                <Button type="submit" loading={give.isPending || invite.isPending} disabled={name.trim() === ""}>
                  {isNew ? "Make the link" : "Give"}
                </Button>
              </Group>
            </Stack>
          </form>
        )
      }
    </EditDialog>
  );
}

function useGive() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (request: GrantRequest) => call<GrantView>("POST", "/api/grants", request),
    onSuccess: (grant) => {
      accessChanged(queries);
      notifications.show({ message: `${grant.holderName} is ${roleLabel(grant.role)} there from now on.` });
    },
  });
}

function NewOrKnown({ isNew, onNew }: { readonly isNew: boolean; onNew(isNew: boolean): void }) {
  const may = useMay();
  if (!may("account.invite")) return null;
  return (
    <SegmentedControl
      value={isNew ? "new" : "known"}
      onChange={(value) => onNew(value === "new")}
      data={[
        { value: "known", label: "Has an account" },
        { value: "new", label: "Is new here" },
      ]}
    />
  );
}

function NameField({
  name,
  onName,
  isNew,
}: {
  readonly name: string;
  onName(name: string): void;
  readonly isNew: boolean;
}) {
  const may = useMay();
  const people = useQuery({ ...peopleQuery, enabled: may("account.read") });
  const clients = useQuery({ ...clientsQuery, enabled: may("client.read") });
  const field = { label: "Who", required: true, withAsterisk: false, autoComplete: "off", spellCheck: false } as const;
  if (isNew)
    return (
      <TextInput
        {...field}
        description="What the person will type to sign in"
        value={name}
        onChange={(event) => onName(event.currentTarget.value)}
        maxLength={128}
      />
    );
  const names = [...(people.data?.accounts ?? []), ...(clients.data ?? [])].map((each) => each.name);
  return (
    <Autocomplete
      {...field}
      description="The name of an account or a program"
      value={name}
      onChange={onName}
      data={[...new Set(names)].sort()}
      limit={20}
      openOnFocus={false}
      data-autofocus
    />
  );
}

interface RoleFieldProps {
  readonly role: Role;
  onRole(role: Role): void;
  readonly name: string;
  readonly isForStudy: boolean;
}

function RoleField({ role, onRole, name, isForStudy }: RoleFieldProps) {
  const may = useMay();
  const clients = useQuery({ ...clientsQuery, enabled: may("client.read") });
  const isProgram = clients.data?.some((client) => client.name === name.trim()) === true;
  const offered: readonly Role[] = [...rolesOfPeople, ...(isProgram ? (["service"] as const) : [])].filter((each) =>
    isForStudy ? each !== "administrator" && each !== "auditor" : !isForOne(each),
  );
  return (
    <div>
      <NativeSelect
        label="As"
        data={offered.map((value) => ({ value, label: roleLabel(value) }))}
        value={role}
        onChange={(event) => onRole(event.currentTarget.value as Role)}
      />
      <Text size="sm" c="dimmed" mt={4}>
        {roleSays(role)}
      </Text>
    </div>
  );
}
