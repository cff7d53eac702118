interface Address {
  readonly hash: string;
  readonly pathname: string;
  readonly search: string;
}

interface Past {
  replaceState(data: unknown, unused: string, url: string): void;
}

/**
 * The one-use secret of `…/#setup=SECRET`, kept in memory only: it is taken off the address bar and out of the history
 * before anything is drawn. A fragment is never sent to a server.
 */
export function takeSetupSecret(address: Address, past: Past): string | undefined {
  const secret = secretIn(address.hash);
  if (secret === undefined) return undefined;
  past.replaceState(null, "", address.pathname + address.search);
  return secret;
}

/** Finds the secret in a fragment, a whole link, or takes the text as the secret itself. */
export function secretIn(text: string): string | undefined {
  const found = /#setup=([^&\s]+)/.exec(text)?.[1];
  return found === undefined ? undefined : decodeURIComponent(found);
}
