import { Button } from "@mantine/core";
import { IconPrinter } from "@tabler/icons-react";
import { Link, useParams } from "@tanstack/react-router";
import { useMay } from "../../api/queries.ts";
import { Page } from "../page.tsx";
import classes from "./looks.module.css";
import { Looks } from "./looks.tsx";

/** Who looked at one study, on paper. */
export function LooksPage() {
  const { token } = useParams({ from: "/looks/$token" });
  const may = useMay();
  return (
    <Page title="Who looked at this study" about={`Study ${token.slice(0, 8)}…`}>
      <div className={classes.acts}>
        <Button variant="default" leftSection={<IconPrinter size={16} aria-hidden />} onClick={() => window.print()}>
          Print
        </Button>
        {may("study.view") ? (
          <Button variant="default" renderRoot={(props) => <Link to="/studies/$token" params={{ token }} {...props} />}>
            Open the study
          </Button>
        ) : null}
      </div>
      <Looks study={token} />
    </Page>
  );
}
