import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { RecoveryKit, SetupState } from "#formats/api";
import { EventsProvider } from "../api/events.tsx";
import { sessionQuery } from "../api/queries.ts";
import { Mark } from "../shell/mark.tsx";
import { AccountStep } from "./account-step.tsx";
import { ArrivalStep } from "./arrival-step.tsx";
import { DeviceStep } from "./device-step.tsx";
import classes from "./first-start.module.css";
import { NeedsLink } from "./needs-link.tsx";
import { RecoveryStep } from "./recovery-step.tsx";
import { Steps } from "./steps.tsx";

const steps = ["Administrator", "Recovery kit", "First device", "First images"] as const;

export interface FirstStartProps {
  readonly secret: string | undefined;
  readonly dicom: SetupState["dicom"];
  /** From here on the steps stay, although an administrator is there. */
  onBegun(): void;
  onFinished(): void;
}

/** Everything typed or shown here lives in this component and is gone with it. */
export function FirstStart({ secret: given, dicom, onBegun, onFinished }: FirstStartProps) {
  const queries = useQueryClient();
  const [secret, setSecret] = useState(given);
  const [name, setName] = useState("");
  const [kit, setKit] = useState<RecoveryKit | undefined>(undefined);
  const [step, setStep] = useState(0);
  const made = (typed: string, given: RecoveryKit) => {
    onBegun();
    setName(typed);
    setKit(given);
    setStep(1);
    void queries.invalidateQueries(sessionQuery);
  };
  return (
    <main className={classes.page}>
      <div className={classes.sheet}>
        <header className={`${classes.head} no-print`}>
          <Mark size={24} />
          <span>Leadglass</span>
        </header>
        {secret === undefined ? (
          <NeedsLink onSecret={setSecret} />
        ) : (
          <>
            <Steps names={steps} at={step} label="First start" />
            {step === 0 ? (
              <AccountStep secret={secret} link={{ kind: "first", roles: ["administrator"] }} onMade={made} />
            ) : null}
            {step === 1 && kit !== undefined ? (
              <RecoveryStep
                kit={kit}
                name={name}
                onSaved={() => {
                  setKit(undefined);
                  setStep(2);
                }}
              />
            ) : null}
            {step >= 2 ? (
              <EventsProvider>
                {step === 2 ? (
                  <DeviceStep dicom={dicom} onNext={() => setStep(3)} />
                ) : (
                  <ArrivalStep dicom={dicom} onBack={() => setStep(2)} onFinished={onFinished} />
                )}
              </EventsProvider>
            ) : null}
          </>
        )}
      </div>
    </main>
  );
}
