import { Button, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Page } from "./page.tsx";

export function NotFoundPage() {
  return (
    <Page title="There is no such page">
      <Text mb="md">The link may be old, it was cut off when it was copied, or it is not for you.</Text>
      <Button component={Link} to="/" variant="default">
        Go to the first page
      </Button>
    </Page>
  );
}
