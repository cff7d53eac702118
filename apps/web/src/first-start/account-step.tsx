import { Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { EnrolledSecondFactor, LinkView, SetupRequest } from "#formats/api";
import { call } from "../api/client.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import classes from "./first-start.module.css";
import { passwordCharactersMin, passwordStrength } from "./password-strength.ts";

export interface NewPerson {
  readonly name: string;
  readonly factor: EnrolledSecondFactor;
}

export interface AccountStepProps {
  readonly secret: string;
  readonly link: LinkView;
  onMade(made: NewPerson): void;
}

/** Name and password. Who was invited has a name already. */
export function AccountStep({ secret, link, onMade }: AccountStepProps) {
  const [name, setName] = useState(link.name ?? "");
  const [password, setPassword] = useState("");
  const make = useMutation({
    mutationFn: (request: SetupRequest) => call<EnrolledSecondFactor>("POST", "/api/setup/account", request),
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
        {link.first ? "Make the administrator" : "Make your account"}
      </Title>
      <Text mb="md">{aboutRoles(link)}</Text>
      <Stack gap="sm" maw={380}>
        <TextInput
          label="Name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="username"
          required
          withAsterisk={false}
          autoFocus={link.name === undefined}
          readOnly={link.name !== undefined}
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
          autoFocus={link.name !== undefined}
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

function aboutRoles({ first, roles }: LinkView): string {
  if (first) {
    return "The administrator admits devices and sees every study. There is no password to begin with and none that we know.";
  }
  const invited = `You are invited as ${roles.map((role) => role.replace("-", " ")).join(", ")}`;
  const chooses = "Choose your password; nobody else knows it.";
  if (roles.includes("researcher")) {
    return `${invited}: you find and view studies, with names, dates and numbers masked. ${chooses}`;
  }
  return `${invited}. ${chooses}`;
}
