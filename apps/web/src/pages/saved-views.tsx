import { ActionIcon, Button, Group, Menu, Modal, Stack, Text, TextInput } from "@mantine/core";
import { IconBookmark, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { SavedView } from "#formats/api";
import { call } from "../api/client.ts";
import { savedViewsQuery } from "../api/oversight-queries.ts";
import { useMay } from "../api/queries.ts";
import { ProblemNote } from "../shell/problem-note.tsx";

export interface SavedViewsProps {
  readonly page: SavedView["page"];
  /** What stands in the address now, behind `?`. */
  readonly search: string;
  onShow(search: string): void;
}

/** Views of this list that one keeps for oneself: on the server, so that they are there in every browser. */
export function SavedViews({ page, search, onShow }: SavedViewsProps) {
  const may = useMay();
  const queries = useQueryClient();
  const views = useQuery({ ...savedViewsQuery(page), enabled: may("saved-view.read") });
  const [isNaming, setNaming] = useState(false);
  const remove = useMutation({
    mutationFn: ({ id }: SavedView) => call<void>("DELETE", `/api/saved-views/${id}`),
    onSettled: () => queries.invalidateQueries(savedViewsQuery(page)),
  });
  if (!may("saved-view.read")) return null;
  const kept = views.data ?? [];
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={16} aria-hidden />}>
            Views
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {kept.length === 0 ? <Menu.Label>No view is kept yet</Menu.Label> : null}
          {kept.map((view) => (
            <Group key={view.id} gap={0} wrap="nowrap">
              <Menu.Item
                style={{ flex: 1 }}
                fw={view.search === search ? 600 : 400}
                aria-current={view.search === search}
                onClick={() => onShow(view.search)}
              >
                {view.name}
              </Menu.Item>
              <ActionIcon
                variant="subtle"
                color="gray"
                size={28}
                aria-label={`Remove the view ${view.name}`}
                onClick={() => remove.mutate(view)}
              >
                <IconTrash size={15} />
              </ActionIcon>
            </Group>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => setNaming(true)}>Keep this view…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <KeepView page={page} search={search} opened={isNaming} onClose={() => setNaming(false)} />
    </>
  );
}

interface KeepViewProps extends Pick<SavedViewsProps, "page" | "search"> {
  readonly opened: boolean;
  onClose(): void;
}

function KeepView({ page, search, opened, onClose }: KeepViewProps) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const keep = useMutation({
    mutationFn: () => call<SavedView>("POST", "/api/saved-views", { page, name, search }),
    onSuccess: () => {
      setName("");
      onClose();
    },
    onSettled: () => queries.invalidateQueries(savedViewsQuery(page)),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "") keep.mutate();
  };
  return (
    <Modal opened={opened} onClose={onClose} title="Keep this view">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Name"
            value={name}
            maxLength={80}
            data-autofocus
            autoComplete="off"
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Text size="sm" c="dimmed">
            The filters are kept, not what is found. Only you see it.
          </Text>
          {keep.isError ? <ProblemNote error={keep.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Not now
            </Button>
            <Button type="submit" disabled={name.trim() === ""} loading={keep.isPending}>
              Keep
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
