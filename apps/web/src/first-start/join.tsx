import { Button, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { LinkView, RecoveryKit } from "#formats/api";
import { call } from "../api/client.ts";
import { Mark } from "../shell/mark.tsx";
import { ProblemNote } from "../shell/problem-note.tsx";
import { AccountStep, type NewPerson } from "./account-step.tsx";
import classes from "./first-start.module.css";
import { RecoveryStep } from "./recovery-step.tsx";
import { SecondFactorStep } from "./second-factor-step.tsx";
import { Steps } from "./steps.tsx";

const steps = ["Password", "Second factor", "Recovery codes"] as const;

/** Somebody who was invited makes their account. Everything typed or shown here is gone with this component. */
export function Join({ secret, onFinished }: { readonly secret: string; onFinished(): void }) {
  const link = useQuery({
    queryKey: ["link"],
    queryFn: () => call<LinkView>("POST", "/api/setup/link", { secret }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const [person, setPerson] = useState<NewPerson | undefined>(undefined);
  const [kit, setKit] = useState<RecoveryKit | undefined>(undefined);
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
            <Steps names={steps} at={kit !== undefined ? 2 : person !== undefined ? 1 : 0} label="Your account" />
            {person === undefined ? <AccountStep secret={secret} link={link.data} onMade={setPerson} /> : null}
            {person !== undefined && kit === undefined ? (
              <SecondFactorStep
                secret={secret}
                factor={person.factor}
                onConfirmed={setKit}
                onBack={() => setPerson(undefined)}
              />
            ) : null}
            {person !== undefined && kit !== undefined ? (
              <RecoveryStep kit={kit} name={person.name} onSaved={onFinished} />
            ) : null}
          </>
        )}
      </div>
    </main>
  );
}
