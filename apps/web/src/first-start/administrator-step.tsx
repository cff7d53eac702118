import { Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { AdministratorRequest, EnrolledSecondFactor } from "#formats/api";
import { call } from "../api/client.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import classes from "./first-start.module.css";
import { passwordCharactersMin, passwordStrength } from "./password-strength.ts";

export interface Administrator {
  readonly name: string;
  readonly factor: EnrolledSecondFactor;
}

export function AdministratorStep({ secret, onMade }: { readonly secret: string; onMade(made: Administrator): void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const make = useMutation({
    mutationFn: (request: AdministratorRequest) =>
      call<EnrolledSecondFactor>("POST", "/api/setup/administrator", request),
    onSuccess: (factor, request) => onMade({ name: request.name, factor }),
  });
  const strength = passwordStrength(password, name);
  const isReady = name.trim() !== "" && strength.level > 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) make.mutate({ secret, name: name.trim(), password });
  };
  return (
    <form onSubmit={submit}>
      <Title order={1} mb={6}>
        Make the administrator
      </Title>
      <Text mb="md">
        The administrator admits devices and sees every study. There is no password to begin with and none that we know.
      </Text>
      <Stack gap="sm" maw={380}>
        <TextInput
          label="Name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="username"
          required
          withAsterisk={false}
          autoFocus
          spellCheck={false}
        />
        <PasswordInput
          label="Password"
          description={`At least ${passwordCharactersMin} characters; several unrelated words are best`}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="new-password"
          required
          withAsterisk={false}
          aria-describedby="strength"
        />
        <div id="strength" className={classes.strength} data-level={password === "" ? undefined : strength.level}>
          <span className={classes.strengthBar} aria-hidden>
            {[1, 2, 3, 4].map((level) => (
              <i key={level} data-on={strength.level >= level} />
            ))}
          </span>
          <span aria-live="polite">{password === "" ? "" : strength.hint}</span>
        </div>
        {make.isError ? <ProblemNote error={make.error} /> : null}
        <div>
          <Button type="submit" disabled={!isReady} loading={make.isPending}>
            Continue
          </Button>
        </div>
      </Stack>
    </form>
  );
}
