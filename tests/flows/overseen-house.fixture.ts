import assert from "node:assert/strict";
import type { GrantTermsView, InvitationView, StudyView } from "#formats/api";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { listStudies, makeAdministrator } from "../web/browser.fixture.ts";
import { type Slice, slicesOf, stow } from "./modality.fixture.ts";
import { enrol } from "./second-person.fixture.ts";

/** Somebody signed in, in a browser of their own. */
export interface Caller {
  call(method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The JSON of an answer that must be 200. */
  json<T>(method: string, path: string, body?: object): Promise<T>;
  readonly cookie: string;
}

/** A real server with two patients' studies, an administrator, and a way to let others in. */
export interface OverseenHouse<House extends RunningHouse = RunningHouse> {
  readonly house: House;
  readonly administrator: Caller;
  /** By family name of the patient. */
  readonly studies: Readonly<Record<"Quill" | "Ruiz", StudyView>>;
  readonly slices: Readonly<Record<"Quill" | "Ruiz", readonly Slice[]>>;
  join(name: string, ...grants: readonly Partial<GrantTermsView>[]): Promise<Caller>;
  callerOf(cookie: string): Caller;
}

const patients = {
  Quill: { name: "Quill^Quentin", id: "QQ-4711", birthDate: "19700102", sex: "M" },
  Ruiz: { name: "Ruiz^Rosa", id: "RR-0815", birthDate: "19810304", sex: "F" },
} as const;

/** Every hour of the day is usual, unless it is said which are. */
export async function openOverseenHouse(environment: Record<string, string> = {}): Promise<OverseenHouse> {
  return overseenHouse(await startHouse({ environment: { LEADGLASS_USUAL_HOURS: "0-24", ...environment } }));
}

/** The same in a server that runs already. */
export async function overseenHouse<House extends RunningHouse>(house: House): Promise<OverseenHouse<House>> {
  const callerOf = (cookie: string) => callerAt(house, cookie);
  const { cookie } = await makeAdministrator(house);
  const administrator = callerOf(`${cookie.name}=${cookie.value}`);
  const made = (name: keyof typeof patients, seed: number) =>
    slicesOf({ kind: "mr-brain", slices: 3, size: 64, seed, patient: patients[name], accessionNumber: `A-${seed}` });
  const slices = { Quill: made("Quill", 90), Ruiz: made("Ruiz", 91) };
  for (const each of Object.values(slices)) assert.equal((await stow(house, each)).status, 200);
  const listed = await listStudies(house);
  const studyOf = (name: keyof typeof patients) =>
    listed.find(({ patientName }) => patientName === patients[name].name) ?? assert.fail(`no study of ${name}`);
  return {
    ...{ house, administrator, slices, callerOf },
    studies: { Quill: studyOf("Quill"), Ruiz: studyOf("Ruiz") },
    async join(name, ...grants) {
      const terms = { role: "radiologist", place: { kind: "tenant" }, purpose: "treatment", endsAt: 0 } as const;
      const request = { name, grants: grants.map((one) => ({ ...terms, ...one })) };
      const { link } = await administrator.json<InvitationView>("POST", "/api/invitations", request);
      return callerOf((await enrol(house, name, link)).headers.cookie ?? "");
    },
  };
}

function callerAt(house: RunningHouse, cookie: string): Caller {
  const call: Caller["call"] = (method, path, body, headers = {}) => {
    const text = body && JSON.stringify(body);
    // With DELETE Node says no length by itself.
    const typed = text && { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) };
    const sent = { cookie, "x-leadglass": "1", ...typed, ...headers };
    return house.fetch(path, { anonymous: true, method, headers: sent, ...(text && { body: text }) });
  };
  return {
    ...{ call, cookie },
    async json<T>(method: string, path: string, body?: object): Promise<T> {
      const answer = await call(method, path, body);
      const text = await answer.text();
      assert.equal(answer.status, 200, `${method} ${path}: ${text}`);
      return JSON.parse(text) as T;
    },
  };
}

/** Asks again until it holds: what happens behind an answer. */
export async function eventually<T>(ask: () => Promise<T | undefined | false>, what: string): Promise<T> {
  for (let tries = 0; tries < 600; tries++) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it never came: ${what}`);
}
