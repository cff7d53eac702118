import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { ProblemNote } from "../shell/problem-note.tsx";

interface SureProps {
  readonly opened: boolean;
  readonly title: string;
  readonly says: string;
  readonly does: string;
  /** What is read again afterwards. */
  readonly changes: { readonly queryKey: QueryKey };
  run(): Promise<unknown>;
  onClose(): void;
}

/** Asks once before what cannot be taken back. */
export function Sure({ opened, title, says, does, changes, run, onClose }: SureProps) {
  const queries = useQueryClient();
  const act = useMutation({
    mutationFn: run,
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: changes.queryKey }),
  });
  const close = () => {
    act.reset();
    onClose();
  };
  return (
    <Modal opened={opened} onClose={close} title={title}>
      <Stack gap="sm">
        <Text>{says}</Text>
        {act.isError ? <ProblemNote error={act.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Not now
          </Button>
          <Button color="red" loading={act.isPending} onClick={() => act.mutate()} data-autofocus>
            {does}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
