import { X509Certificate } from "node:crypto";
import { type Adapter, type AdapterPayload, type ClientMetadata, errors } from "oidc-provider";
import type { OauthClient, OauthRecord } from "#trust/access";
import type { OauthParts } from "./parts.ts";

/** A code that comes again is known for so long after its time, so that what it was exchanged for can be ended. */
const codeKeptSeconds = 600;

/** The provider's store: records for all that it makes, our clients for `Client`. */
export function adapterOver({ records, clients, clock }: OauthParts): (kind: string) => Adapter {
  const contentOf = (record: OauthRecord | undefined) => record?.content as AdapterPayload | undefined;
  const endsAtOf = (kind: string, seconds: number) =>
    clock.now() + 1000 * (kind === "AuthorizationCode" ? Math.max(seconds, codeKeptSeconds) : seconds);
  const revoke = (grantId: string) => records.removeWhere((_kind, content) => content.grantId === grantId);
  return (kind) => ({
    async upsert(id, payload, seconds = 0) {
      const record = [kind, id, JSON.parse(JSON.stringify(payload)), endsAtOf(kind, seconds)] as const;
      if (kind !== "ReplayDetection") return records.put(...record);
      // Two at once with the same proof: the provider has looked before, but not in one step.
      if (!(await records.add(...record))) throw new errors.InvalidRequest("this was used before");
    },
    async find(id) {
      if (kind !== "Client") return contentOf(records.find(kind, id));
      const client = clients.get(id);
      return client && metadataOf(client);
    },
    findByUid: async (uid) => contentOf(records.findWhere(kind, "uid", uid)),
    findByUserCode: async (code) => contentOf(records.findWhere(kind, "userCode", code)),
    async consume(id) {
      if (await records.consume(kind, id)) return;
      // Of two who came with it at once this is the second: neither keeps what it was good for.
      const grantId = contentOf(records.find(kind, id))?.grantId;
      if (grantId !== undefined) await Promise.all([revoke(grantId), records.remove("Grant", grantId)]);
      throw new errors.InvalidGrant("used before");
    },
    destroy: async (id) => {
      if (kind === "Grant") await revoke(id);
      await records.remove(kind, id);
    },
    revokeByGrantId: revoke,
  });
}

/** A client in the words of RFC 7591. */
export function metadataOf(client: OauthClient): ClientMetadata {
  const { proof, redirectUris, isFapi, byCode } = client;
  const hasPeople = redirectUris.length > 0;
  const grantTypes = [
    ...(hasPeople ? ["authorization_code"] : []),
    ...(byCode ? ["urn:ietf:params:oauth:grant-type:device_code"] : []),
    ...(hasPeople || byCode ? ["refresh_token"] : []),
    ...(proof.kind === "none" ? [] : ["client_credentials"]),
  ];
  const methods = { none: "none", keys: "private_key_jwt", certificate: "self_signed_tls_client_auth" } as const;
  return {
    client_id: client.id,
    client_name: client.name,
    redirect_uris: [...redirectUris],
    post_logout_redirect_uris: [...redirectUris],
    response_types: hasPeople ? ["code"] : [],
    ...(hasPeople && { response_modes: ["query"] }),
    grant_types: grantTypes,
    token_endpoint_auth_method: methods[proof.kind],
    id_token_signed_response_alg: "ES256",
    ...(proof.kind === "keys" && { jwks: { keys: proof.keys.map((key) => ({ ...key })) } }),
    ...(proof.kind === "certificate" && {
      jwks: { keys: [keyOf(proof.certificate)] },
      tls_client_certificate_bound_access_tokens: true,
    }),
    require_pushed_authorization_requests: isFapi,
    dpop_bound_access_tokens: isFapi && proof.kind === "keys",
  } as ClientMetadata;
}

function keyOf(pem: string) {
  const certificate = new X509Certificate(pem);
  return { ...certificate.publicKey.export({ format: "jwk" }), x5c: [certificate.raw.toString("base64")] };
}
