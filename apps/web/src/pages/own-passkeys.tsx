import { ActionIcon, Button, Group, Text, TextInput } from "@mantine/core";
import { IconFingerprint, IconPencil, IconTrash } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import type { CredentialsView, NewPasskeyAnswer, PasskeyView } from "#formats/api";
import { call } from "../api/client.ts";
import { canUsePasskeys, deviceName, makePasskey } from "../api/passkeys.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { Time } from "../words/time.tsx";
import { ActsHead } from "./row-acts.tsx";
import classes from "./rows.module.css";
import { useChange } from "./use-change.ts";

const pathOf = ({ id }: PasskeyView) => `/api/credentials/passkeys/${encodeURIComponent(id)}`;

export function OwnPasskeys({ held }: { readonly held: CredentialsView }) {
  const { passkeys, passkeysOffered } = held;
  const add = useChange(async () => {
    const answer = await makePasskey("/api/credentials/passkeys/options");
    const made: NewPasskeyAnswer = { name: deviceName(), answer };
    return call<void>("POST", "/api/credentials/passkeys", made);
  });
  const remove = useChange((passkey: PasskeyView) => call<void>("DELETE", pathOf(passkey)));
  const isLast = passkeys.length === 1 && !held.hasPassword;
  const problem = add.error ?? remove.error;
  return (
    <>
      {passkeys.length === 0 ? (
        <Text className={classes.empty}>
          None yet. A passkey is the fastest way in, and the one that no false page can take from you.
        </Text>
      ) : (
        <div className={classes.wrap}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th>Name</th>
                <th>Last used</th>
                <th className={classes.wide}>Made</th>
                <th className={classes.wide}>Kept</th>
                <ActsHead />
              </tr>
            </thead>
            <tbody>
              {passkeys.map((passkey) => (
                <PasskeyRow
                  key={passkey.id}
                  passkey={passkey}
                  isLast={isLast}
                  isRemoving={remove.isPending}
                  onRemove={() => remove.mutate(passkey)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {problem === null ? null : <ProblemNote error={problem} />}
      {passkeysOffered && canUsePasskeys() ? (
        <Button
          mt="sm"
          variant={passkeys.length === 0 ? "filled" : "default"}
          leftSection={<IconFingerprint size={16} />}
          loading={add.isPending}
          onClick={() => add.mutate()}
        >
          Add a passkey
        </Button>
      ) : (
        <Text size="sm" c="dimmed" mt="sm">
          Open these pages by the server's name to add one: there are none for a numeric address.
        </Text>
      )}
    </>
  );
}

interface RowProps {
  readonly passkey: PasskeyView;
  readonly isLast: boolean;
  readonly isRemoving: boolean;
  onRemove(): void;
}

function PasskeyRow({ passkey, isLast, isRemoving, onRemove }: RowProps) {
  const { name, isSynced, createdAt, lastUsedAt } = passkey;
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const rename = useChange((wanted: string) => call<void>("POST", pathOf(passkey), { name: wanted }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed !== undefined) rename.mutate(typed, { onSuccess: () => setTyped(undefined) });
  };
  return (
    <tr>
      <td>
        {typed === undefined ? (
          <Group gap={4} wrap="nowrap">
            <span>{name}</span>
            <ActionIcon variant="subtle" color="gray" onClick={() => setTyped(name)} aria-label={`Rename ${name}`}>
              <IconPencil size={14} />
            </ActionIcon>
          </Group>
        ) : (
          <form onSubmit={submit}>
            <Group gap={6} wrap="nowrap">
              <TextInput
                size="xs"
                aria-label="Name of the passkey"
                value={typed}
                maxLength={64}
                onChange={(event) => setTyped(event.currentTarget.value)}
                error={rename.isError}
                autoFocus
              />
              <Button size="xs" type="submit" loading={rename.isPending}>
                Save
              </Button>
            </Group>
          </form>
        )}
      </td>
      <td>{lastUsedAt === 0 ? "never" : <Time at={lastUsedAt} />}</td>
      <td className={classes.wide}>
        <Time at={createdAt} />
      </td>
      <td className={classes.wide}>{isSynced ? "in a synced keychain" : "on one device"}</td>
      <td className={classes.right}>
        <ActionIcon
          variant="subtle"
          color="gray"
          onClick={onRemove}
          disabled={isLast || isRemoving}
          title={isLast ? "Your last way in: add another first" : `Remove ${name}`}
          aria-label={`Remove ${name}`}
        >
          <IconTrash size={16} />
        </ActionIcon>
      </td>
    </tr>
  );
}
