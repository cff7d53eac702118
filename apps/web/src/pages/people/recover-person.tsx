import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { AccountRecovery, IssuedLinkView } from "#formats/api";
import { call } from "../../api/client.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { useProven } from "../../shell/proof.tsx";
import { EditDialog } from "./edit-dialog.tsx";
import { linkIsLost, typedIsLost } from "./invite-person.tsx";
import { IssuedLink } from "./issued-link.tsx";

export interface PersonDialogProps {
  readonly name: string;
  readonly opened: boolean;
  onClose(): void;
}

/** For somebody who lost their passkeys, or password and authenticator: another person vouches for them. */
export function RecoverPerson({ name, opened, onClose }: PersonDialogProps) {
  const [reason, setReason] = useState("");
  const [isCopied, setCopied] = useState(false);
  const proven = useProven();
  const recover = useMutation({
    mutationFn: (request: AccountRecovery) =>
      proven(() => call<IssuedLinkView>("POST", "/api/accounts/recovery", request)),
    gcTime: 0,
  });
  const close = () => {
    setReason("");
    setCopied(false);
    recover.reset();
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    recover.mutate({ name, reason: reason.trim() });
  };
  const made = recover.data;
  const loses = made !== undefined ? (isCopied ? undefined : linkIsLost) : reason === "" ? undefined : typedIsLost;
  return (
    <EditDialog title={`New ways in for ${name}`} opened={opened} loses={loses} onClose={close}>
      {(leave) =>
        made !== undefined ? (
          <IssuedLink
            {...made}
            says={`With this link ${name} chooses anew how to sign in. What there was before works no more from then on.`}
            onCopied={() => setCopied(true)}
            onDone={leave}
          />
        ) : (
          <form onSubmit={submit}>
            <Stack gap="md">
              <Text>
                Make sure that it is {name} who asks, face to face or by a number that you know. The log keeps that you
                vouched for it, and why.
              </Text>
              <TextInput
                label="Reason"
                value={reason}
                onChange={(event) => setReason(event.currentTarget.value)}
                required
                withAsterisk={false}
                maxLength={500}
                autoComplete="off"
                placeholder="Lost the phone; came to the office"
                data-autofocus
              />
              {recover.isError ? <ProblemNote error={recover.error} /> : null}
              <Group justify="flex-end" gap="xs">
                <Button variant="default" onClick={leave}>
                  Not now
                </Button>
                <Button type="submit" loading={recover.isPending} disabled={reason.trim() === ""}>
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
