import { Button, Group, Stack, Text, TextInput, Title, UnstyledButton } from "@mantine/core";
import { IconFingerprint } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type {
  EnrolledSecondFactor,
  LinkView,
  RecoveryKit,
  Role,
  SetupPasskeyAnswer,
  SetupPasskeyRequest,
  SetupRequest,
} from "#formats/api";
import { call } from "../api/client.ts";
import { canUsePasskeys, deviceName, makePasskey } from "../api/passkeys.ts";
import { signInQuery } from "../api/queries.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import classes from "./first-start.module.css";
import { PasswordFields } from "./password-fields.tsx";
import { passwordStrength } from "./password-strength.ts";
import { SecondFactorStep } from "./second-factor-step.tsx";

export interface AccountStepProps {
  readonly secret: string;
  readonly link: LinkView;
  onMade(name: string, kit: RecoveryKit): void;
}

/** A name, where the link gives none, and a way in: a passkey, or a password with an authenticator. */
export function AccountStep({ secret, link, onMade }: AccountStepProps) {
  const offer = useQuery(signInQuery);
  const [name, setName] = useState(link.name ?? "");
  const [wantsPassword, setWantsPassword] = useState(false);
  const [factor, setFactor] = useState<EnrolledSecondFactor | undefined>(undefined);
  if (factor !== undefined) {
    const onConfirmed = (kit: RecoveryKit) => onMade(name, kit);
    return (
      <SecondFactorStep secret={secret} factor={factor} onConfirmed={onConfirmed} onBack={() => setFactor(undefined)} />
    );
  }
  const isOffered = offer.data?.passkeys === true && canUsePasskeys();
  const byPasskey = isOffered && !wantsPassword;
  const props = { secret, name: name.trim() };
  return (
    <div>
      <Title order={1} mb={6}>
        {titles[link.kind]}
      </Title>
      <Text mb="md">{about(link)}</Text>
      <Stack gap="sm" maw={400}>
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
        {byPasskey ? <ByPasskey {...props} onMade={(kit) => onMade(name.trim(), kit)} /> : null}
        {byPasskey || offer.isPending ? null : (
          <ByPassword {...props} autoFocus={link.name !== undefined} onDrawn={setFactor} />
        )}
        {isOffered && link.kind !== "enrol" ? (
          <UnstyledButton className={classes.other} onClick={() => setWantsPassword(!wantsPassword)}>
            {wantsPassword ? "Use a passkey instead" : "Use a password and an authenticator app instead"}
          </UnstyledButton>
        ) : null}
      </Stack>
    </div>
  );
}

interface WayProps {
  readonly secret: string;
  readonly name: string;
}

function ByPasskey({ secret, name, onMade }: WayProps & { onMade(kit: RecoveryKit): void }) {
  const make = useMutation({
    mutationFn: async () => {
      const request: SetupPasskeyRequest = { secret, name };
      const answer = await makePasskey("/api/setup/passkey", request);
      const made: SetupPasskeyAnswer = { secret, name: deviceName(), answer };
      return call<RecoveryKit>("POST", "/api/setup/passkey/confirm", made);
    },
    onSuccess: onMade,
  });
  return (
    <>
      <Text size="sm" c="dimmed">
        A passkey is kept by this device or your phone and opened with a fingerprint, a face or a PIN. Nobody can guess
        it, and no other site can ask for it.
      </Text>
      {make.isError ? <ProblemNote error={make.error} /> : null}
      <Group>
        <Button
          leftSection={<IconFingerprint size={18} />}
          disabled={name === ""}
          loading={make.isPending}
          onClick={() => make.mutate()}
        >
          Make a passkey
        </Button>
      </Group>
    </>
  );
}

interface ByPasswordProps extends WayProps {
  readonly autoFocus: boolean;
  onDrawn(factor: EnrolledSecondFactor): void;
}

function ByPassword({ secret, name, autoFocus, onDrawn }: ByPasswordProps) {
  const [password, setPassword] = useState("");
  const draw = useMutation({
    mutationFn: (request: SetupRequest) => call<EnrolledSecondFactor>("POST", "/api/setup/account", request),
    onSuccess: onDrawn,
  });
  const isReady = name !== "" && passwordStrength(password, name).level > 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) draw.mutate({ secret, name, password });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <PasswordFields label="Password" name={name} password={password} autoFocus={autoFocus} onChange={setPassword} />
        {draw.isError ? <ProblemNote error={draw.error} /> : null}
        <div>
          <Button type="submit" disabled={!isReady} loading={draw.isPending}>
            Continue
          </Button>
        </div>
      </Stack>
    </form>
  );
}

const titles: Readonly<Record<LinkView["kind"], string>> = {
  first: "Make the administrator",
  join: "Make your account",
  recover: "Set a new way in",
  enrol: "Add a passkey",
};

const roleWords: Readonly<Partial<Record<Role, string>>> = {
  administrator: "an administrator",
  "front-desk": "front desk",
  referrer: "a referring physician",
  auditor: "an auditor",
};

function about({ kind, roles }: LinkView): string {
  if (kind === "first") {
    return "The administrator admits devices and people. There is no password to begin with and none that we know.";
  }
  if (kind === "recover") return "The ways you had are gone, and what was signed in with them. What you may do stays.";
  if (kind === "enrol") {
    return "Your organisation's sign-in vouches for your password alone. From now on a passkey is asked for beside it.";
  }
  const words = roles.map((role) => roleWords[role] ?? `a ${role}`);
  return `You are invited as ${new Intl.ListFormat("en").format(words)}. Nobody else learns how you sign in.`;
}
