import assert from "node:assert/strict";
import type { ConfirmationView, EnrolledSecondFactor, InvitationView } from "#formats/api";
import { totpCode } from "#trust/access";
import type { RunningHouse } from "../house/index.ts";
import { password, seedOf } from "../web/browser.fixture.ts";

/** Another administrator of a real server, in a browser of their own. */
export interface Person {
  readonly seed: Uint8Array;
  /** Of a request from one of our pages. */
  readonly headers: Readonly<Record<string, string>>;
}

export function postJson(
  house: Pick<RunningHouse, "fetch">,
  path: string,
  body: object,
  headers: Person["headers"] = {},
) {
  return house.fetch(path, {
    anonymous: true,
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** `leadglass user add`, and the way of the link that it prints. */
export function invite(house: RunningHouse, name: string): Promise<Person> {
  const { link } = JSON.parse(
    house.command(["user", "add", name, "--role", "administrator", "--json"]),
  ) as InvitationView;
  return enrol(house, name, link);
}

/** The way of a one-use link. */
export async function enrol(house: Pick<RunningHouse, "fetch">, name: string, link: string): Promise<Person> {
  const secret = new URL(link).hash.replace("#setup=", "");
  const begun = await postJson(house, "/api/setup/account", { secret, name, password });
  const seed = Uint8Array.from(seedOf(((await begun.json()) as EnrolledSecondFactor).totpSecret));
  const confirmed = await postJson(house, "/api/setup/confirm", { secret, code: totpCode(seed, Date.now()) });
  const cookie = (confirmed.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  return { seed, headers: { cookie, "x-leadglass": "1" } };
}

/** What the page Confirmations comes to show. */
export async function pending(house: RunningHouse, { headers }: Person): Promise<ConfirmationView> {
  for (let tries = 0; tries < 400; tries++) {
    const answer = await house.fetch("/api/confirmations", { anonymous: true, headers });
    const found = ((await answer.json()) as ConfirmationView[]).find(({ state }) => state === "pending");
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("nothing was asked for");
}

/** Waits for what is asked for and confirms it. Once a person in half a minute: the code of this one made the account. */
export async function confirm(house: RunningHouse, person: Person): Promise<ConfirmationView> {
  const found = await pending(house, person);
  const code = totpCode(person.seed, Date.now() + 30_000);
  const answer = await postJson(house, `/api/confirmations/${found.id}/confirm`, { code }, person.headers);
  assert.equal(answer.status, 200);
  return found;
}
