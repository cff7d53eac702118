const minute = 60;
const day = 24 * 60 * minute;
export const accessTokenSeconds = 10 * minute;
/** How long an authorization can be renewed at all, and unused. */
export const grantSeconds = 30 * day;

/** Where the provider answers, under the issuer. */
export const oauthPaths = {
  authorization: "/auth",
  token: "/token",
  jwks: "/jwks",
  userinfo: "/me",
  introspection: "/token/introspection",
  revocation: "/token/revocation",
  pushed_authorization_request: "/request",
  device_authorization: "/device/auth",
  code_verification: "/device",
  end_session: "/session/end",
} as const;
