import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import type { ConfirmationView, ProofView } from "#formats/api";
import { call } from "../api/client.ts";
import { canUsePasskeys, provePasskey } from "../api/passkeys.ts";
import { confirmationsQuery } from "../api/queries.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { SixDigits } from "../shell/six-digits.tsx";
import { actWords } from "../words/confirmation-words.ts";

export interface ConfirmActProps {
  readonly asked: ConfirmationView;
  readonly opened: boolean;
  onClose(): void;
}

/** Asks for the second factor again: a page that was left open confirms nothing. */
export function ConfirmAct({ asked, opened, onClose }: ConfirmActProps) {
  const queries = useQueryClient();
  const [code, setCode] = useState("");
  const button = useRef<HTMLButtonElement>(null);
  // The last digit does not do the act: one more key does, on the button that names it.
  useEffect(() => {
    if (code.length === 6) button.current?.focus();
  }, [code]);
  const confirm = useMutation({
    mutationFn: (digits: string) =>
      call<ConfirmationView>("POST", `/api/confirmations/${asked.id}/confirm`, { code: digits }),
    onSuccess: () => {
      close();
      void queries.invalidateQueries(confirmationsQuery);
    },
    onError: () => setCode(""),
  });
  const byPasskey = useMutation({
    mutationFn: async () => {
      const answer = await provePasskey("/api/session/again/options");
      return call<ProofView>("POST", "/api/session/again", { answer });
    },
    onSuccess: (proof) => confirm.mutate(proof.code),
  });
  const problem = byPasskey.error ?? confirm.error;
  const close = () => {
    confirm.reset();
    byPasskey.reset();
    setCode("");
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.length === 6) confirm.mutate(code);
  };
  const { label, says, isFinal } = actWords(asked.act);
  return (
    <Modal opened={opened} onClose={close} title={`${label}?`}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Text>
            {asked.requestedBy} asked for this. {says}
          </Text>
          <SixDigits
            label="Six digits that your authenticator shows now"
            value={code}
            onChange={(digits) => {
              setCode(digits);
              if (digits !== "" && confirm.isError) confirm.reset();
            }}
            isWrong={confirm.isError}
            takesFocus
          />
          {problem === null ? null : <ProblemNote error={problem} />}
          <Group justify="flex-end" gap="xs">
            {canUsePasskeys() ? (
              <Button variant="default" loading={byPasskey.isPending} onClick={() => byPasskey.mutate()} mr="auto">
                Use a passkey
              </Button>
            ) : null}
            <Button variant="default" onClick={close}>
              Not now
            </Button>
            <Button
              ref={button}
              type="submit"
              disabled={code.length !== 6}
              loading={confirm.isPending}
              {...(isFinal ? { color: "red" } : {})}
            >
              {label}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
