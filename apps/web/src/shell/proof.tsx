import { Button, Modal, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useMemo, useRef, useState } from "react";
import type { AgainRequest, ProofView } from "#formats/api";
import { call, isRefusal } from "../api/client.ts";
import { canUsePasskeys, provePasskey } from "../api/passkeys.ts";
import { ProblemNote } from "./problem-note.tsx";
import { SixDigits } from "./six-digits.tsx";

interface ProofSubject {
  /** Does it; where the server wants to be shown again who it is, asks for that and does it then. */
  proven<T>(work: () => Promise<T>): Promise<T>;
}

const Proof = createContext<ProofSubject | undefined>(undefined);

interface Waiting {
  done(): void;
  gaveUp(error: unknown): void;
}

/** Asks who is signed in to show again that it is them, for any page that needs it. */
export function ProofProvider({ children }: { readonly children: ReactNode }) {
  const [opened, setOpened] = useState(false);
  const waiting = useRef<Waiting | undefined>(undefined);
  const subject = useMemo<ProofSubject>(
    () => ({
      async proven(work) {
        try {
          return await work();
        } catch (error) {
          if (!isRefusal(error) || error.code !== "unproven") throw error;
          await new Promise<void>((done, gaveUp) => {
            waiting.current = { done, gaveUp: () => gaveUp(error) };
            setOpened(true);
          });
          return await work();
        }
      },
    }),
    [],
  );
  const close = (settle: (one: Waiting) => void) => {
    setOpened(false);
    if (waiting.current !== undefined) settle(waiting.current);
    waiting.current = undefined;
  };
  return (
    <Proof value={subject}>
      {children}
      <Modal
        opened={opened}
        onClose={() => close((one) => one.gaveUp(undefined))}
        title="Show that it is you"
        zIndex={300}
      >
        <ProofForm onProven={() => close((one) => one.done())} />
      </Modal>
    </Proof>
  );
}

export function useProven(): ProofSubject["proven"] {
  const subject = useContext(Proof);
  if (subject === undefined) throw new Error("no proof provider");
  return subject.proven;
}

/** A passkey, or the six digits. */
export function ProofForm({ onProven }: { onProven(proof: ProofView): void }) {
  const [code, setCode] = useState("");
  const again = (request: AgainRequest) => call<ProofView>("POST", "/api/session/again", request);
  const byPasskey = useMutation({
    mutationFn: async () => again({ answer: await provePasskey("/api/session/again/options") }),
    onSuccess: onProven,
  });
  const byCode = useMutation({
    mutationFn: (digits: string) => again({ code: digits }),
    onSuccess: onProven,
    onError: () => setCode(""),
  });
  const problem = byPasskey.error ?? byCode.error;
  return (
    <Stack gap="md">
      <Text size="sm">This is asked for again because a page may have been left open.</Text>
      {canUsePasskeys() ? (
        <Button data-autofocus loading={byPasskey.isPending} onClick={() => byPasskey.mutate()}>
          Use a passkey
        </Button>
      ) : null}
      <SixDigits
        label="Or the six digits that your authenticator shows now"
        value={code}
        onChange={(digits) => {
          setCode(digits);
          if (digits !== "" && byCode.isError) byCode.reset();
        }}
        onComplete={byCode.mutate}
        isWrong={byCode.isError}
        disabled={byCode.isPending}
      />
      {problem === null ? null : <ProblemNote error={problem} />}
    </Stack>
  );
}
