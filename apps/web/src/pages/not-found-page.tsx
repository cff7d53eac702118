import { Button, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Page } from "./page.tsx";

export function NotFoundPage() {
  return (
    <Page title="There is no such page">
      <Text mb="md">The link may be old, or it was cut off when it was copied.</Text>
      <Button component={Link} to="/" variant="default">
        Go to the study list
      </Button>
    </Page>
  );
}
