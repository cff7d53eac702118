import { Button, Modal, Text } from "@mantine/core";
import { useState } from "react";
import { type CredentialsView, counted, type RecoveryKit } from "#formats/api";
import { call } from "../api/client.ts";
import { RecoveryStep } from "../first-start/recovery-step.tsx";
import { ProblemNote } from "../shell/problem-note.tsx";
import { useChange } from "./use-change.ts";

export function OwnRecoveryCodes({ held }: { readonly held: CredentialsView }) {
  const { recoveryCodesLeft, name } = held;
  const [kit, setKit] = useState<RecoveryKit | undefined>(undefined);
  const make = useChange(() => call<RecoveryKit>("POST", "/api/credentials/recovery-codes"));
  return (
    <>
      <Text size="sm" c="dimmed" mb="sm">
        {recoveryCodesLeft === 0
          ? "None left. Without one, a lost passkey or phone means asking another administrator."
          : `${counted(recoveryCodesLeft, "code")} left. Each works once, when the passkey or the phone is lost.`}
      </Text>
      <Button variant="default" loading={make.isPending} onClick={() => make.mutate(undefined, { onSuccess: setKit })}>
        Make new codes
      </Button>
      {make.isError ? <ProblemNote error={make.error} /> : null}
      <Modal
        opened={kit !== undefined}
        onClose={() => setKit(undefined)}
        closeOnClickOutside={false}
        closeOnEscape={false}
        withCloseButton={false}
        size="lg"
        aria-label="New recovery codes"
      >
        {kit === undefined ? null : <RecoveryStep kit={kit} name={name} onSaved={() => setKit(undefined)} />}
      </Modal>
    </>
  );
}
