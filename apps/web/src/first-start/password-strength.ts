export const passwordCharactersMin = 12;

export interface PasswordStrength {
  /** 0 to 4: too short, weak, fair, good, strong. */
  readonly level: 0 | 1 | 2 | 3 | 4;
  readonly hint: string;
}

/**
 * A hint, not a rule: the server asks for length alone (NIST SP 800-63B §3.1.1.2). Counts what a guesser cannot leave out: characters that
 * neither repeat nor follow on from the one before, times how many kinds there are.
 */
export function passwordStrength(password: string, name: string): PasswordStrength {
  const characters = [...password];
  if (characters.length < passwordCharactersMin) {
    const missing = passwordCharactersMin - characters.length;
    return { level: 0, hint: `${missing} more character${missing === 1 ? "" : "s"}` };
  }
  const bits = surprising(characters) * Math.log2(alphabetSize(password));
  const holdsName = name.trim().length > 2 && password.toLowerCase().includes(name.trim().toLowerCase());
  if (bits < 45 || holdsName)
    return { level: 1, hint: holdsName ? "Holds your name: leave it out" : "Easy to guess: add unrelated words" };
  if (bits < 62) return { level: 2, hint: "Fair: a few more characters help" };
  if (bits < 85) return { level: 3, hint: "Good" };
  return { level: 4, hint: "Strong" };
}

function surprising(characters: readonly string[]): number {
  let count = 0;
  for (const [index, character] of characters.entries()) {
    const step =
      index === 0 ? Number.NaN : (character.codePointAt(0) ?? 0) - (characters[index - 1]?.codePointAt(0) ?? 0);
    count += Math.abs(step) <= 1 ? 0.2 : 1;
  }
  return count * Math.min(1, new Set(characters).size / (characters.length * 0.5));
}

function alphabetSize(password: string): number {
  const kinds: readonly (readonly [RegExp, number])[] = [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[0-9]/, 10],
    [/[^a-zA-Z0-9]/, 33],
  ];
  return kinds.reduce((size, [kind, letters]) => size + (kind.test(password) ? letters : 0), 0);
}
