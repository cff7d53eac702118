import { PinInput, Text } from "@mantine/core";
import { useId } from "react";

interface SixDigitsProps {
  readonly label: string;
  readonly value: string;
  onChange(digits: string): void;
  /** All six are there. */
  onComplete?(digits: string): void;
  /** The digits were refused. */
  readonly isWrong: boolean;
  readonly disabled?: boolean;
  /** The first of them has the focus when the page or dialog opens. */
  readonly takesFocus?: boolean;
}

/** The digits that an authenticator shows. */
export function SixDigits({ label, isWrong, takesFocus = false, ...field }: SixDigitsProps) {
  const id = useId();
  return (
    <div>
      <Text size="sm" mb={4} id={id}>
        {label}
      </Text>
      <PinInput
        length={6}
        type="number"
        inputMode="numeric"
        oneTimeCode
        autoFocus={takesFocus}
        // A dialog gives the focus to what says so, else to its close button.
        getInputProps={(index) => ({
          "aria-label": `Digit ${index + 1}`,
          ...(takesFocus && index === 0 && { "data-autofocus": true }),
        })}
        aria-labelledby={id}
        error={isWrong}
        {...field}
      />
    </div>
  );
}
