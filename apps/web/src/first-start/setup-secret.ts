interface Address {
  readonly hash: string;
  readonly pathname: string;
  readonly search: string;
}

interface Past {
  replaceState(data: unknown, unused: string, url: string): void;
}

/** What a link is for: an account (`#setup=`), or a study for somebody outside (`#share=`). */
export type SecretKind = "setup" | "share";

/**
 * The secret of `…/#setup=SECRET` or `…/#share=SECRET`, kept in memory only: it is taken off the address bar and out of the history
 * before anything is drawn. A fragment is never sent to a server.
 */
export function takeSecret(kind: SecretKind, address: Address, past: Past): string | undefined {
  const secret = secretIn(address.hash, kind);
  if (secret === undefined) return undefined;
  past.replaceState(null, "", address.pathname + address.search);
  return secret;
}

/** Finds the secret in a fragment, a whole link, or takes the text as the secret itself. */
export function secretIn(text: string, kind: SecretKind = "setup"): string | undefined {
  return new RegExp(`#${kind}=([\\w-]+)`).exec(text)?.[1];
}
