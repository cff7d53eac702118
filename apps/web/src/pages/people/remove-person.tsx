import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { accessChanged } from "../../api/access-queries.ts";
import { call } from "../../api/client.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import type { PersonDialogProps } from "./recover-person.tsx";

/** The name is typed: nobody is removed by a slip of the hand. */
export function RemovePerson({ name, isSelf, opened, onClose }: PersonDialogProps & { readonly isSelf: boolean }) {
  const [typed, setTyped] = useState("");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => call<void>("DELETE", "/api/accounts", { name }),
    onSuccess: async () => {
      await navigate({ to: "/people", replace: true });
      accessChanged(queries);
    },
  });
  const close = () => {
    setTyped("");
    remove.reset();
    onClose();
  };
  const isRight = typed.trim().toLowerCase() === name;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isRight) remove.mutate();
  };
  return (
    <Modal opened={opened} onClose={close} title={`Remove ${name}?`}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <Text>
            {isSelf ? "This is your own account. " : ""}The account, its grants and its sessions end at once, on every
            device. What was done with it stays in the log.
          </Text>
          <TextInput
            label={`Type ${name} to remove it`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
          {remove.isError ? <ProblemNote error={remove.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Keep it
            </Button>
            <Button type="submit" color="red" disabled={!isRight} loading={remove.isPending}>
              Remove
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
