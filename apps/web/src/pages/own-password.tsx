import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { AuthenticatorRequest, CredentialsView, EnrolledSecondFactor } from "#formats/api";
import { call } from "../api/client.ts";
import { PasswordFields } from "../first-start/password-fields.tsx";
import { passwordStrength } from "../first-start/password-strength.ts";
import { CodeOfAuthenticator } from "../first-start/second-factor-step.tsx";
import { ProblemNote } from "../shell/problem-note.tsx";
import { useChange } from "./use-change.ts";

type Step = "password" | "both" | "authenticator";

/** A password is never alone: an authenticator stands beside it. */
export function OwnPassword({ held }: { readonly held: CredentialsView }) {
  const { hasPassword, name } = held;
  const [step, setStep] = useState<Step | undefined>(undefined);
  const [factor, setFactor] = useState<EnrolledSecondFactor | undefined>(undefined);
  const close = () => {
    setStep(undefined);
    setFactor(undefined);
  };
  const draw = useChange((request: AuthenticatorRequest) =>
    call<EnrolledSecondFactor>("POST", "/api/credentials/authenticator", request),
  );
  const change = useChange((password: string) => call<void>("PUT", "/api/credentials/password", { password }));
  const confirm = useChange((code: string) => call<void>("POST", "/api/credentials/authenticator/confirm", { code }));
  const remove = useChange(() => call<void>("DELETE", "/api/credentials/password"));
  const onPassword = (password: string) =>
    step === "password"
      ? change.mutate(password, { onSuccess: close })
      : draw.mutate({ password }, { onSuccess: setFactor });
  const drawAuthenticator = () => {
    const onSuccess = (drawn: EnrolledSecondFactor) => {
      setFactor(drawn);
      setStep("authenticator");
    };
    draw.mutate({}, { onSuccess });
  };
  const problem = draw.error ?? remove.error;
  return (
    <>
      <Text size="sm" c="dimmed" mb="sm">
        {hasPassword
          ? "A password with the six digits of an authenticator app lets you in where no passkey is at hand."
          : "None: you sign in with passkeys alone."}
      </Text>
      <Acts
        held={held}
        isDrawing={draw.isPending}
        isRemoving={remove.isPending}
        onPassword={() => setStep(hasPassword ? "password" : "both")}
        onAuthenticator={drawAuthenticator}
        onRemove={() => remove.mutate()}
      />
      {problem === null || step !== undefined ? null : <ProblemNote error={problem} />}
      <Modal
        opened={step !== undefined}
        onClose={close}
        size={factor === undefined ? "md" : "lg"}
        title={factor === undefined ? "New password" : "New authenticator"}
      >
        {factor === undefined ? (
          <NewPassword
            name={name}
            isPending={change.isPending || draw.isPending}
            error={change.error ?? draw.error}
            onTyped={onPassword}
          />
        ) : (
          <CodeOfAuthenticator
            factor={factor}
            isPending={confirm.isPending}
            error={confirm.error}
            onCode={(code) => confirm.mutate(code, { onSuccess: close })}
          />
        )}
      </Modal>
    </>
  );
}

interface ActsProps {
  readonly held: CredentialsView;
  readonly isDrawing: boolean;
  readonly isRemoving: boolean;
  onPassword(): void;
  onAuthenticator(): void;
  onRemove(): void;
}

function Acts({ held, isDrawing, isRemoving, onPassword, onAuthenticator, onRemove }: ActsProps) {
  if (!held.hasPassword) {
    return (
      <Button variant="default" onClick={onPassword}>
        Add a password
      </Button>
    );
  }
  const isLast = held.passkeys.length === 0;
  return (
    <Group gap="xs">
      <Button variant="default" onClick={onPassword}>
        Change the password
      </Button>
      <Button variant="default" loading={isDrawing} onClick={onAuthenticator}>
        Change the authenticator
      </Button>
      <Button
        variant="default"
        disabled={isLast}
        title={isLast ? "Your last way in: add a passkey first" : ""}
        loading={isRemoving}
        onClick={onRemove}
      >
        Remove both
      </Button>
    </Group>
  );
}

interface NewPasswordProps {
  readonly name: string;
  readonly isPending: boolean;
  readonly error: unknown;
  onTyped(password: string): void;
}

function NewPassword({ name, isPending, error, onTyped }: NewPasswordProps) {
  const [password, setPassword] = useState("");
  const isReady = passwordStrength(password, name).level > 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) onTyped(password);
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <PasswordFields label="New password" name={name} password={password} autoFocus onChange={setPassword} />
        {error === null ? null : <ProblemNote error={error} />}
        <Text size="sm" c="dimmed">
          Your other sessions end.
        </Text>
        <Group justify="flex-end">
          <Button type="submit" disabled={!isReady} loading={isPending}>
            Continue
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
