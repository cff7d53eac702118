import { Button, Checkbox, Group, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type InvitationRequest, type InvitationView, type Role, rolesOfPeople } from "#formats/api";
import { accessChanged } from "../../api/access-queries.ts";
import { call } from "../../api/client.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { roleLabel, roleSays } from "../../words/role-words.ts";
import { EditDialog } from "./edit-dialog.tsx";
import { isChanged, isForOne, newDraft, termsOf } from "./grant-draft.ts";
import { IssuedLink } from "./issued-link.tsx";
import classes from "./people.module.css";
import { TermsFields } from "./terms-fields.tsx";

/** Asks for an invitation; what is shown then is the one-use link. */
export function useInvite() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (request: InvitationRequest) => call<InvitationView>("POST", "/api/invitations", request),
    onSuccess: () => accessChanged(queries),
    // The link is nobody's business once the dialog is gone.
    gcTime: 0,
  });
}

export const linkIsLost = "The link is shown this once. Close without having copied it?";
export const typedIsLost = "Close, and throw away what you typed?";

/** A new person: who, as what, where, until when. */
export function InvitePerson({ opened, onClose }: { readonly opened: boolean; onClose(): void }) {
  const [name, setName] = useState("");
  const [roles, setRoles] = useState<readonly Role[]>([]);
  const [draft, setDraft] = useState(newDraft());
  const [isCopied, setCopied] = useState(false);
  const invite = useInvite();
  const close = () => {
    setName("");
    setRoles([]);
    setDraft(newDraft());
    setCopied(false);
    invite.reset();
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate({ name: name.trim(), grants: roles.map((role) => termsOf(role, draft)) });
  };
  const made = invite.data;
  const isTyped = name !== "" || roles.length > 0 || isChanged(draft, newDraft());
  const loses = made !== undefined ? (isCopied ? undefined : linkIsLost) : isTyped ? typedIsLost : undefined;
  return (
    <EditDialog
      title={made === undefined ? "Invite a person" : `${made.name} is invited`}
      opened={opened}
      loses={loses}
      onClose={close}
    >
      {(leave) =>
        made !== undefined ? (
          <IssuedLink
            {...made}
            says={`With this link ${made.name} makes the account and chooses how to sign in.`}
            onCopied={() => setCopied(true)}
            onDone={leave}
          />
        ) : (
          <form onSubmit={submit}>
            <Stack gap="md">
              <TextInput
                label="Name"
                description="What the person types to sign in"
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
                required
                withAsterisk={false}
                maxLength={128}
                autoComplete="off"
                spellCheck={false}
                data-autofocus
              />
              <RoleChoice chosen={roles} onChosen={setRoles} />
              <TermsFields draft={draft} onDraft={setDraft} roles={roles} />
              {invite.isError ? <ProblemNote error={invite.error} /> : null}
              <Group justify="flex-end" gap="xs">
                <Button variant="default" onClick={leave}>
                  Not now
                </Button>
                <Button type="submit" loading={invite.isPending} disabled={name.trim() === "" || roles.length === 0}>
                  Make the link
                </Button>
              </Group>
            </Stack>
          </form>
        )
      }
    </EditDialog>
  );
}

function RoleChoice({ chosen, onChosen }: { readonly chosen: readonly Role[]; onChosen(roles: Role[]): void }) {
  return (
    <Checkbox.Group
      label="Roles"
      description="A patient is invited from one of their studies: open it and choose Give access"
      value={[...chosen]}
      onChange={(values) => onChosen(values as Role[])}
    >
      <div className={classes.choices}>
        {rolesOfPeople
          .filter((role) => !isForOne(role))
          .map((role) => (
            <Checkbox
              key={role}
              classNames={{ label: classes.tall ?? "" }}
              value={role}
              label={roleLabel(role)}
              description={roleSays(role)}
            />
          ))}
      </div>
    </Checkbox.Group>
  );
}
