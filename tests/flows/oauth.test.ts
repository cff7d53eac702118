import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authorizationPath, newPkce, openPlainBrowser, send } from "../house/oauth-browser.ts";
import { type OauthHouse, startOauthHouse } from "../house/oauth-house.ts";

let house: OauthHouse;
before(async () => {
  house = await startOauthHouse();
});
after(() => house?.remove());

test("a person lets a viewer in, and its token does what was asked for and nothing else", async () => {
  const ada = await house.person("ada");
  const client = await house.add("viewer-1");
  const { verifier, challenge } = newPkce();
  const back = await openPlainBrowser(house, ada.secret).allow(authorizationPath(client.id, challenge));
  assert.equal(back.origin + back.pathname, "https://viewer.example/callback");
  assert.equal(back.searchParams.get("iss"), house.issuer());
  const answer = await send(house, "/oauth/token", {
    form: {
      grant_type: "authorization_code",
      client_id: client.id,
      code: back.searchParams.get("code") ?? "",
      redirect_uri: "https://viewer.example/callback",
      code_verifier: verifier,
    },
  });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.refresh_token, undefined);
  const headers = { authorization: `Bearer ${answer.json.access_token}` };
  const seen = await send(house, "/who/study.view", { headers });
  assert.deepEqual([seen.status, seen.json.actor], [200, `user:${ada.id}`]);
  assert.equal((await send(house, "/who/study.correct", { headers })).status, 404);
});
