import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type {
  ConfirmRequest,
  EnrolledSecondFactor,
  LinkRequest,
  LinkView,
  RecoveryKit,
  SetupPasskeyAnswer,
  SetupPasskeyRequest,
  SetupRequest,
  SetupState,
  WebAuthnJson,
} from "#formats/api";
import { type Arrival, actorOf } from "#trust/access";
import { type Beginning, rolesIn } from "./beginning.ts";
import type { ApiParts } from "./parts.ts";
import { answerObject, textObject } from "./schemas.ts";

const setupActor = actorOf("setup", "one-use-link");

/** Coming to an account, or to new ways into it, by a one-use link. */
export function registerSetup(server: FastifyInstance, parts: ApiParts, beginning: Beginning): void {
  const { setup, gate, clock } = parts;
  const anonymous = { config: { anonymous: true } };
  const origin = () => new URL(parts.pageUrl()).origin;

  /** Signs in who has just come, and shows the codes once. */
  const arrive = async (
    request: FastifyRequest,
    reply: FastifyReply,
    confirm: () => Promise<Arrival>,
  ): Promise<RecoveryKit> => {
    const { account, recoveryCodes, kind } = await gate.pass(setupActor, "account.confirm", undefined, confirm);
    // A link that adds a passkey came from the provider a moment ago.
    await beginning.begin(account, request, reply, kind === "enrol" ? "vouched" : undefined);
    const rootPassphrase = kind === "first" ? await parts.rootPassphrase() : undefined;
    return { recoveryCodes, madeAt: clock.now(), ...(rootPassphrase !== undefined && { rootPassphrase }) };
  };

  server.get("/api/setup", anonymous, async (): Promise<SetupState> => {
    if (!(await setup.needed())) return { needed: false };
    return { needed: true, dicom: parts.dicom() };
  });

  server.post<{ Body: LinkRequest }>(
    "/api/setup/link",
    { ...anonymous, schema: { body: textObject({ secret: 128 }) } },
    async ({ body }): Promise<LinkView> => {
      const { kind, name, grants } = await setup.linkOf(body.secret).catch(beginning.refused);
      return { kind, roles: rolesIn(grants), ...(name !== undefined && { name }) };
    },
  );

  server.post<{ Body: SetupPasskeyRequest }>(
    "/api/setup/passkey",
    { ...anonymous, schema: { body: textObject({ secret: 128, name: 128 }) } },
    async ({ body }): Promise<WebAuthnJson> => ({
      ...(await setup.beginPasskey(body.secret, body.name, origin()).catch(beginning.refused)),
    }),
  );

  server.post<{ Body: SetupPasskeyAnswer }>(
    "/api/setup/passkey/confirm",
    { ...anonymous, schema: { body: answerObject({ secret: 128, name: 64 }) } },
    (request, reply): Promise<RecoveryKit> => {
      const { secret, answer, name } = request.body;
      return arrive(request, reply, () => setup.confirmPasskey(secret, answer, name, origin()));
    },
  );

  server.post<{ Body: SetupRequest }>(
    "/api/setup/account",
    { ...anonymous, schema: { body: textObject({ secret: 128, name: 128, password: 1024 }) } },
    async ({ body }): Promise<EnrolledSecondFactor> => {
      const { totpSecret, totpUri } = await setup.begin(body.secret, body.name, body.password).catch(beginning.refused);
      return { totpSecret, totpUri };
    },
  );

  server.post<{ Body: ConfirmRequest }>(
    "/api/setup/confirm",
    { ...anonymous, schema: { body: textObject({ secret: 128, code: 32 }) } },
    (request, reply): Promise<RecoveryKit> => {
      const { secret, code } = request.body;
      return arrive(request, reply, () => setup.confirm(secret, code));
    },
  );
}
