import { Button, Code, CopyButton, Group, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { create } from "qrcode";
import { type FormEvent, useMemo, useState } from "react";
import type { ConfirmRequest, EnrolledSecondFactor, RecoveryKit } from "#formats/api";
import { call } from "../api/client.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { SixDigits } from "../shell/six-digits.tsx";
import classes from "./first-start.module.css";

export interface SecondFactorStepProps {
  readonly secret: string;
  readonly factor: EnrolledSecondFactor;
  onConfirmed(kit: RecoveryKit): void;
  onBack(): void;
}

export function SecondFactorStep({ secret, factor, onConfirmed, onBack }: SecondFactorStepProps) {
  const confirm = useMutation({
    mutationFn: (request: ConfirmRequest) => call<RecoveryKit>("POST", "/api/setup/confirm", request),
    onSuccess: onConfirmed,
  });
  return (
    <div>
      <Title order={1} mb={6}>
        Add the second factor
      </Title>
      <CodeOfAuthenticator
        factor={factor}
        isPending={confirm.isPending}
        error={confirm.error}
        onCode={(code) => confirm.mutate({ secret, code })}
        onBack={onBack}
      />
    </div>
  );
}

export interface CodeOfAuthenticatorProps {
  readonly factor: EnrolledSecondFactor;
  readonly isPending: boolean;
  /** Of the last code; null when there is none. */
  readonly error: unknown;
  onCode(code: string): void;
  onBack?(): void;
}

/** Hands an authenticator its key and asks for the first code of it. */
export function CodeOfAuthenticator({ factor, isPending, error, onCode, onBack }: CodeOfAuthenticatorProps) {
  const [code, setCode] = useState("");
  const send = (digits: string) => {
    if (digits.length !== 6 || isPending) return;
    setCode("");
    onCode(digits);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send(code);
  };
  return (
    <form onSubmit={submit}>
      <Text mb="md">
        Scan this with an authenticator app on your phone. It then shows six digits, which change every 30 seconds and
        are asked for at each sign-in with the password.
      </Text>
      <div className={classes.factor}>
        <QrCode text={factor.totpUri} />
        <Stack gap="sm">
          <div>
            <Text size="sm" c="dimmed">
              Or type this key into the app
            </Text>
            <Group gap={8}>
              <Code className={classes.totpSecret}>{inFours(factor.totpSecret)}</Code>
              <CopyButton value={factor.totpSecret}>
                {({ copied, copy }) => (
                  <Button size="compact-sm" variant="default" onClick={copy}>
                    {copied ? "Copied" : "Copy"}
                  </Button>
                )}
              </CopyButton>
            </Group>
          </div>
          <SixDigits
            label="Six digits that the app shows now"
            value={code}
            onChange={setCode}
            onComplete={send}
            isWrong={error !== null && code === ""}
            takesFocus
          />
          {error === null ? null : <ProblemNote error={error} />}
          <Group gap="xs">
            <Button type="submit" disabled={code.length !== 6} loading={isPending}>
              Confirm
            </Button>
            {onBack === undefined ? null : (
              <Button variant="subtle" onClick={onBack}>
                Back
              </Button>
            )}
          </Group>
        </Stack>
      </div>
    </form>
  );
}

function inFours(text: string): string {
  return text.match(/.{1,4}/g)?.join(" ") ?? text;
}

/** Drawn here, as one SVG path: the secret is sent to nobody. Four modules of quiet zone (ISO/IEC 18004). */
function QrCode({ text }: { readonly text: string }) {
  const { path, size } = useMemo(() => {
    const { modules } = create(text, { errorCorrectionLevel: "M" });
    const squares: string[] = [];
    for (let row = 0; row < modules.size; row += 1) {
      for (let column = 0; column < modules.size; column += 1) {
        if (modules.get(row, column)) squares.push(`M${column + 4} ${row + 4}h1v1h-1z`);
      }
    }
    return { path: squares.join(""), size: modules.size + 8 };
  }, [text]);
  return (
    <svg
      className={classes.qr}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      role="img"
      aria-label="QR code of the authenticator key"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
