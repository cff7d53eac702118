import type { FastifyInstance } from "fastify";
import { Problem } from "#base/problem";
import type {
  ConfirmRequest,
  EnrolledSecondFactor,
  LinkRequest,
  LinkView,
  RecoveryKit,
  Role,
  SessionRequest,
  SessionView,
  SetupRequest,
  SetupState,
} from "#formats/api";
import { type Account, actorOf, type GrantTerms, personOf, type Session } from "#trust/access";
import type { ApiParts } from "./parts.ts";
import { textObject } from "./schemas.ts";

const setupActor = actorOf("setup", "one-use-link");

/** Making an account by a one-use link, sign-in and sign-out. The only routes of `/api` that take anonymous callers. */
export function registerSession(server: FastifyInstance, parts: ApiParts): void {
  const { setup, signIn, gate, clock } = parts;
  const anonymous = { config: { anonymous: true } };

  server.get("/api/setup", anonymous, async (): Promise<SetupState> => {
    if (!(await setup.needed())) return { needed: false };
    return { needed: true, dicom: parts.dicom() };
  });

  server.post<{ Body: LinkRequest }>(
    "/api/setup/link",
    { ...anonymous, schema: { body: textObject({ secret: 128 }) } },
    async ({ body }): Promise<LinkView> => {
      const { first, name, grants } = await setup.linkOf(body.secret);
      return { first, roles: rolesIn(grants), ...(name !== undefined && { name }) };
    },
  );

  server.post<{ Body: SetupRequest }>(
    "/api/setup/account",
    { ...anonymous, schema: { body: textObject({ secret: 128, name: 128, password: 256 }) } },
    async ({ body }): Promise<EnrolledSecondFactor> => {
      const { totpSecret, totpUri } = await setup.begin(body.secret, body.name, body.password);
      return { totpSecret, totpUri };
    },
  );

  server.post<{ Body: ConfirmRequest }>(
    "/api/setup/confirm",
    { ...anonymous, schema: { body: textObject({ secret: 128, code: 32 }) } },
    async ({ body }, reply): Promise<RecoveryKit> => {
      const { account, recoveryCodes, first } = await gate.pass(setupActor, "account.confirm", undefined, () =>
        setup.confirm(body.secret, body.code),
      );
      const { secret, session } = await beginSession(account);
      parts.setSession(reply, secret, session.endsAt);
      const kit = { recoveryCodes, madeAt: clock.now() };
      const rootPassphrase = first ? await parts.rootPassphrase() : undefined;
      return { ...kit, ...(rootPassphrase !== undefined && { rootPassphrase }) };
    },
  );

  const beginSession = (account: Account) => {
    return gate.pass(personOf(account), "session.begin", { kind: "account", id: account.id }, () =>
      signIn.beginSession(account),
    );
  };

  server.post<{ Body: SessionRequest }>(
    "/api/session",
    { ...anonymous, schema: { body: textObject({ name: 128, password: 256, code: 64 }) } },
    async ({ body, ip }, reply): Promise<SessionView> => {
      const account = await signIn.check(body.name, body.password, body.code, ip);
      const { secret, session } = await beginSession(account);
      parts.setSession(reply, secret, session.endsAt);
      return viewOf(account, session);
    },
  );

  const viewOf = ({ id, name }: Account, { endsAt }: Session): SessionView => {
    const roles = rolesIn(parts.grants.liveOf(`user:${id}`));
    return { account: { id, name, roles }, may: parts.policy.actsOf(actorOf("user", id)), endsAt };
  };

  const signedIn = async (secret: string | undefined) => {
    const found = secret === undefined ? undefined : await signIn.sessionOf(secret);
    if (found === undefined) throw new Problem("absent", "no session", { remedy: "sign in" });
    return found;
  };

  server.get("/api/session", async (request): Promise<SessionView> => {
    const { account, session } = await signedIn(parts.sessionSecretOf(request));
    return gate.pass(parts.actorOf(request), "session.read", undefined, async () => viewOf(account, session));
  });

  server.delete("/api/session", async (request, reply) => {
    const secret = parts.sessionSecretOf(request);
    await gate.pass(parts.actorOf(request), "session.end", undefined, async () => {
      if (secret !== undefined) await signIn.endSession(secret);
    });
    parts.clearSession(reply);
    return reply.status(204).send();
  });
}

/** Each role once. */
export function rolesIn(grants: readonly Pick<GrantTerms, "role">[]): Role[] {
  return [...new Set(grants.map(({ role }) => role))];
}
