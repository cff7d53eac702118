import { Button, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { LinkView, RecoveryKit } from "#formats/api";
import { call } from "../api/client.ts";
import { Mark } from "../shell/mark.tsx";
import { ProblemNote } from "../shell/problem-note.tsx";
import { AccountStep } from "./account-step.tsx";
import classes from "./first-start.module.css";
import { RecoveryStep } from "./recovery-step.tsx";
import { Steps } from "./steps.tsx";

const steps = ["Your way in", "Recovery codes"] as const;

/** Somebody who came by a one-use link: makes an account, or a new way into it. Everything typed or shown here is gone with this component. */
export function Join({ secret, onFinished }: { readonly secret: string; onFinished(): void }) {
  const link = useQuery({
    queryKey: ["link"],
    queryFn: () => call<LinkView>("POST", "/api/setup/link", { secret }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const [name, setName] = useState("");
  const [kit, setKit] = useState<RecoveryKit | undefined>(undefined);
  const made = (typed: string, given: RecoveryKit) => {
    if (given.recoveryCodes.length === 0) return onFinished();
    setName(typed);
    setKit(given);
  };
  return (
    <main className={classes.page}>
      <div className={classes.sheet}>
        <header className={`${classes.head} no-print`}>
          <Mark size={24} />
          <span>Leadglass</span>
        </header>
        {link.error === null ? null : (
          <>
            <ProblemNote error={link.error} />
            <Button mt="md" variant="default" onClick={onFinished}>
              Go to the sign-in
            </Button>
          </>
        )}
        {link.isPending ? <Loader size="sm" aria-label="Loading" /> : null}
        {link.data === undefined ? null : (
          <>
            {link.data.kind === "enrol" ? null : (
              <Steps names={steps} at={kit === undefined ? 0 : 1} label="Your account" />
            )}
            {kit === undefined ? (
              <AccountStep secret={secret} link={link.data} onMade={made} />
            ) : (
              <RecoveryStep kit={kit} name={name} onSaved={onFinished} />
            )}
          </>
        )}
      </div>
    </main>
  );
}
