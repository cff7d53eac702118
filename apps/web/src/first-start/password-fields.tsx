import { PasswordInput } from "@mantine/core";
import classes from "./first-start.module.css";
import { passwordCharactersMin, passwordStrength } from "./password-strength.ts";

export interface PasswordFieldsProps {
  readonly label: string;
  /** Of its owner: a password must not hold it. */
  readonly name: string;
  readonly password: string;
  readonly autoFocus?: boolean;
  onChange(password: string): void;
}

/** A new password, with a hint at how hard it is to guess. */
export function PasswordFields({ label, name, password, autoFocus = false, onChange }: PasswordFieldsProps) {
  const strength = passwordStrength(password, name);
  return (
    <>
      <PasswordInput
        label={label}
        description={`At least ${passwordCharactersMin} characters; several unrelated words are best`}
        value={password}
        onChange={(event) => onChange(event.currentTarget.value)}
        autoComplete="new-password"
        required
        withAsterisk={false}
        autoFocus={autoFocus}
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
    </>
  );
}
