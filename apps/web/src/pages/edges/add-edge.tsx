import { Button, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { EdgeCodeView, EdgeRequest, EdgeView } from "#formats/api";
import { edgesQuery, useFacilities } from "../../api/access-queries.ts";
import { call } from "../../api/client.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { exactTime } from "../../words/moments.ts";
import { EditDialog } from "../people/edit-dialog.tsx";
import { ShownOnce } from "../people/shown-once.tsx";

/** Asks for a code; it is shown once. */
function useCode<T>(ask: (of: T) => Promise<EdgeCodeView>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ask,
    onSuccess: () => queries.invalidateQueries(edgesQuery),
    // The code is nobody's business once the dialog is gone.
    gcTime: 0,
  });
}

/** A new edge: what it is called and where it stands; then its code. */
export function AddEdge({ opened, onClose }: { readonly opened: boolean; onClose(): void }) {
  const facilities = useFacilities();
  const [name, setName] = useState("");
  const [facility, setFacility] = useState("");
  const add = useCode((request: EdgeRequest) => call<EdgeCodeView>("POST", "/api/edges", request));
  const close = () => {
    setName("");
    setFacility("");
    add.reset();
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate({ name: name.trim(), facility });
  };
  const made = add.data;
  return (
    <EditDialog
      title={made === undefined ? "Add an edge" : `Enrol ${made.edge.name}`}
      opened={opened}
      loses={made === undefined && name !== "" ? "Close, and throw away what you typed?" : undefined}
      onClose={close}
    >
      {(leave) =>
        made !== undefined ? (
          <CodeToType made={made} onDone={leave} />
        ) : (
          <form onSubmit={submit}>
            <Stack gap="md">
              <TextInput
                label="Name"
                description="As you would find the machine again: North Wing, server room"
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
                required
                withAsterisk={false}
                maxLength={64}
                autoComplete="off"
                data-autofocus
              />
              {facilities.length === 0 ? null : (
                <NativeSelect
                  label="Facility"
                  data={[
                    { value: "", label: "None" },
                    ...facilities.map(({ id, name }) => ({ value: id, label: name })),
                  ]}
                  value={facility}
                  onChange={(event) => setFacility(event.currentTarget.value)}
                />
              )}
              {add.isError ? <ProblemNote error={add.error} /> : null}
              <Group justify="flex-end" gap="xs">
                <Button variant="default" onClick={leave}>
                  Not now
                </Button>
                <Button type="submit" loading={add.isPending} disabled={name.trim() === ""}>
                  Make a code
                </Button>
              </Group>
            </Stack>
          </form>
        )
      }
    </EditDialog>
  );
}

/** Another code for an edge that is known: one that was not used, or a machine that was set up anew. */
export function NewCode({ edge, onClose }: { readonly edge: EdgeView | undefined; onClose(): void }) {
  const again = useCode((id: string) => call<EdgeCodeView>("POST", `/api/edges/${id}/code`));
  const close = () => {
    again.reset();
    onClose();
  };
  return (
    <EditDialog title={`Enrol ${edge?.name ?? ""}`} opened={edge !== undefined} loses={undefined} onClose={close}>
      {(leave) =>
        again.data !== undefined ? (
          <CodeToType made={again.data} onDone={leave} />
        ) : (
          <Stack gap="md">
            <Text>
              {edge?.state === "enrolled"
                ? "For a machine that was set up anew. The certificate that it has now holds until the code is used, and no longer."
                : "A code that was made before is worth nothing any more."}
            </Text>
            {again.isError ? <ProblemNote error={again.error} /> : null}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={leave}>
                Not now
              </Button>
              <Button loading={again.isPending} onClick={() => edge && again.mutate(edge.id)} data-autofocus>
                Make a code
              </Button>
            </Group>
          </Stack>
        )
      }
    </EditDialog>
  );
}

/** What is to be typed on the machine; it says when that was done. */
function CodeToType({ made: { edge, code, url }, onDone }: { readonly made: EdgeCodeView; onDone(): void }) {
  const now = useQuery(edgesQuery).data?.find(({ id }) => id === edge.id);
  const isUsed = now !== undefined && now.enrolledAt > edge.enrolledAt;
  const command = `leadglass edge enroll ${url.replace(/\/$/, "")} ${code}`;
  return (
    <div>
      <Text mb="sm">On the machine, as whoever runs Leadglass there:</Text>
      <ShownOnce text={command} kind="command" testId="enrol-command" isUsed={isUsed} onDone={onDone}>
        <Text size="sm" mt="xs" role="status" aria-live="polite" {...(isUsed ? {} : { c: "dimmed" })}>
          {isUsed
            ? `${edge.name} is enrolled: its certificate holds until ${exactTime(now.notAfter).slice(0, 10)}, and renews itself.`
            : `It works once, until ${exactTime(edge.codeEndsAt).slice(11)}, and is not shown again. This page says when it was used.`}
        </Text>
      </ShownOnce>
    </div>
  );
}
