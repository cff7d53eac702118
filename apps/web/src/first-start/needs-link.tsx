import { Button, Code, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { secretIn } from "./setup-secret.ts";

/** The page was opened without the one-use link. */
export function NeedsLink({ onSecret }: { onSecret(secret: string): void }) {
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const secret = secretIn(text) ?? text.trim();
    if (secret !== "") onSecret(secret);
  };
  return (
    <form onSubmit={submit}>
      <Title order={1} mb={6}>
        Open the one-use link
      </Title>
      <Text mb="md">
        This Leadglass has no administrator yet. The link to make one was printed where it was started (
        <Code>leadglass start</Code>); only whoever can read that screen may go on. Open the link, or paste it here.
      </Text>
      <TextInput
        label="One-use link"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        autoComplete="off"
        spellCheck={false}
        placeholder="https://…/#setup=…"
        required
        withAsterisk={false}
      />
      <Button type="submit" mt="md">
        Continue
      </Button>
    </form>
  );
}
