import { Button, Checkbox, Group, NativeSelect, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { ClientRequest, ClientView } from "#formats/api";
import { accessChanged } from "../../api/access-queries.ts";
import { call } from "../../api/client.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { EditDialog } from "./edit-dialog.tsx";
import { newDraft, termsOf } from "./grant-draft.ts";
import { typedIsLost } from "./invite-person.tsx";
import classes from "./people.module.css";
import { TermsFields } from "./terms-fields.tsx";

const kinds = {
  none: { label: "An app or a page that people sign in to", says: "It keeps no secret; it does what the person may." },
  keys: { label: "A server with keys", says: "It signs with a private key that never leaves it." },
  certificate: { label: "A server with a certificate", says: "It comes over mutual TLS." },
  code: { label: "A device that shows a code", says: "A person types the code on a page here, and lets it in." },
} as const;
type Kind = keyof typeof kinds;

interface Draft {
  readonly name: string;
  readonly kind: Kind;
  readonly redirectUris: string;
  /** JWK set or PEM, as it was pasted. */
  readonly proof: string;
  readonly isFapi: boolean;
  readonly isFirstParty: boolean;
  readonly isGranted: boolean;
  readonly grant: ReturnType<typeof newDraft>;
}

const empty: Draft = {
  name: "",
  kind: "none",
  redirectUris: "",
  proof: "",
  isFapi: false,
  isFirstParty: false,
  isGranted: true,
  grant: newDraft(),
};

export function AddProgram({ opened, onClose }: { readonly opened: boolean; onClose(): void }) {
  const [draft, setDraft] = useState(empty);
  const queries = useQueryClient();
  const add = useMutation({
    mutationFn: async (asked: Draft) => call<ClientView>("POST", "/api/clients", requestOf(asked)),
    onSuccess: ({ name, id }) => {
      accessChanged(queries);
      notifications.show({ autoClose: 20_000, title: `${name} may ask for tokens`, message: `Its client id is ${id}` });
      close();
    },
  });
  const close = () => {
    setDraft(empty);
    add.reset();
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(draft);
  };
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const isTyped = draft.name !== "" || draft.redirectUris !== "" || draft.proof !== "";
  return (
    <EditDialog title="Add a program" opened={opened} loses={isTyped ? typedIsLost : undefined} onClose={close}>
      {(leave) => (
        <form onSubmit={submit}>
          <Stack gap="md">
            <TextInput
              label="Name"
              description="Letters, digits, dots, dashes; people are shown it when it asks them"
              value={draft.name}
              onChange={(event) => change({ name: event.currentTarget.value })}
              required
              withAsterisk={false}
              maxLength={64}
              autoComplete="off"
              spellCheck={false}
              data-autofocus
            />
            <Fields draft={draft} onChange={change} />
            {add.isError ? <ProblemNote error={add.error} /> : null}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={leave}>
                Not now
              </Button>
              <Button type="submit" loading={add.isPending} disabled={draft.name.trim() === ""}>
                Add
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </EditDialog>
  );
}

interface FieldsProps {
  readonly draft: Draft;
  onChange(part: Partial<Draft>): void;
}

function Fields({ draft, onChange }: FieldsProps) {
  const { kind } = draft;
  const isServer = kind === "keys" || kind === "certificate";
  return (
    <>
      <div>
        <NativeSelect
          label="What it is"
          data={Object.entries(kinds).map(([value, { label }]) => ({ value, label }))}
          value={kind}
          onChange={(event) => onChange({ kind: event.currentTarget.value as Kind })}
        />
        <Text size="sm" c="dimmed" mt={4}>
          {kinds[kind].says}
        </Text>
      </div>
      {kind === "code" ? null : (
        <Textarea
          label={isServer ? "Sends people back to (if it acts for people)" : "Sends people back to"}
          description="One https address a line, compared to the letter"
          value={draft.redirectUris}
          onChange={(event) => onChange({ redirectUris: event.currentTarget.value })}
          autosize
          minRows={1}
          maxRows={6}
          spellCheck={false}
          placeholder="https://viewer.example.org/callback"
        />
      )}
      {isServer ? <ServerFields draft={draft} onChange={onChange} /> : null}
      <Checkbox
        classNames={{ label: classes.tall ?? "" }}
        label="It is our own"
        description="People are not asked whether they want it"
        checked={draft.isFirstParty}
        onChange={(event) => onChange({ isFirstParty: event.currentTarget.checked })}
      />
    </>
  );
}

/** For a program that can keep a key to itself. */
function ServerFields({ draft, onChange }: FieldsProps) {
  const { kind } = draft;
  return (
    <>
      <Textarea
        label={kind === "keys" ? "Its public keys (JWK set)" : "Its certificate (PEM)"}
        value={draft.proof}
        onChange={(event) => onChange({ proof: event.currentTarget.value })}
        required
        withAsterisk={false}
        minRows={3}
        maxRows={10}
        autosize
        spellCheck={false}
        placeholder={kind === "keys" ? '{"keys":[…]}' : "-----BEGIN CERTIFICATE-----"}
      />
      <Checkbox
        classNames={{ label: classes.tall ?? "" }}
        label="May store, find and read studies by itself"
        checked={draft.isGranted}
        onChange={(event) => onChange({ isGranted: event.currentTarget.checked })}
      />
      {draft.isGranted ? (
        <TermsFields draft={draft.grant} onDraft={(grant) => onChange({ grant })} roles={["service"]} />
      ) : null}
      <Checkbox
        classNames={{ label: classes.tall ?? "" }}
        label="Strict profile (FAPI 2.0)"
        description="Pushed requests, tokens bound to its key; for programs that can"
        checked={draft.isFapi}
        onChange={(event) => onChange({ isFapi: event.currentTarget.checked })}
      />
    </>
  );
}

function requestOf(draft: Draft): ClientRequest {
  const { name, kind, proof, isFapi, isFirstParty, grant } = draft;
  const redirectUris = draft.redirectUris.split(/\s+/).filter((uri) => uri !== "");
  const common = { name: name.trim(), redirectUris, isFirstParty };
  if (kind === "none") return common;
  if (kind === "code") return { ...common, redirectUris: [], byCode: true };
  const grants = draft.isGranted ? [termsOf("service", grant)] : [];
  return { ...common, isFapi, grants, ...(kind === "keys" ? { jwks: keysIn(proof) } : { certificate: proof }) };
}

/** A set, or one key by itself. */
function keysIn(text: string): NonNullable<ClientRequest["jwks"]> {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Error("The keys are no JSON: paste the program's JWK set as it is.");
  }
  if (typeof read === "object" && read !== null && "keys" in read && Array.isArray(read.keys))
    return { keys: read.keys };
  return { keys: [read as Readonly<Record<string, unknown>>] };
}
