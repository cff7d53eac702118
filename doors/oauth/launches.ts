import type { FastifyInstance } from "fastify";
import { newToken } from "#base/id";
import { Problem } from "#base/problem";
import type { LaunchRequest, LaunchView } from "#formats/api";
import type { StudyFacts } from "#trust/access";
import { type Chosen, nothingChosen } from "./asking.ts";
import type { OauthCallers, OauthParts } from "./parts.ts";

const kind = "Launch";
const lastsMs = 5 * 60_000;
const token = { type: "string", pattern: "^[0-9a-f]{32}$" };

/** A patient or a study on which a person will open another program: the RIS asks for it, the program brings it (SMART App Launch, EHR launch). */
export function registerLaunches(server: FastifyInstance, parts: OauthParts, { actorOf }: OauthCallers): void {
  const { gate, records, clock, random } = parts;
  server.post<{ Body: LaunchRequest }>(
    "/api/launches",
    { schema: { body: launchSchema } },
    async (request): Promise<LaunchView> => {
      const { patient, study, user } = request.body;
      const actor = actorOf(request);
      const facts = await factsOfLaunch(parts, patient, study);
      const on =
        study === undefined
          ? ({ kind: "patient", id: patient ?? "" } as const)
          : ({ kind: "study", id: study } as const);
      return gate.pass(actor, "launch.make", { ...on, facts }, async () => {
        const holder =
          user === undefined ? actor.id : `user:${(await parts.accountNamed(user.trim().toLowerCase()))?.id ?? ""}`;
        if (!/^user:./.test(holder)) {
          throw new Problem("invalid", "who will open it is missing or unknown", {
            remedy: "name an account as `user`",
          });
        }
        const launch = newToken(random) + newToken(random);
        const endsAt = clock.now() + lastsMs;
        await records.put(kind, launch, { holder, patient: facts.patient, study: study ?? "" }, endsAt);
        return { launch, iss: `${parts.pageUrl()}fhir/R4`, endsAt };
      });
    },
  );
}

async function factsOfLaunch(
  parts: OauthParts,
  patient: string | undefined,
  study: string | undefined,
): Promise<StudyFacts> {
  if ((patient === undefined) === (study === undefined)) {
    throw new Problem("invalid", "a launch is on a patient or on a study", { remedy: "name one of both" });
  }
  if (study === undefined) return { facility: "", patient: patient ?? "", study: "", order: "" };
  const facts = await parts.factsOf(study);
  if (facts === undefined) throw new Problem("absent", "not found");
  return facts;
}

/** Whether there is such a launch for this person; undefined when it is another's, over, or was used. */
export function launchOf({ records }: OauthParts, launch: string, holder: string): Chosen | undefined {
  const content = records.find(kind, launch)?.content as ({ holder: string } & Chosen) | undefined;
  return content?.holder === holder ? { patient: content.patient, study: content.study } : undefined;
}

/** Uses it up. Problem `absent` when it cannot be used. */
export async function takeLaunch(parts: OauthParts, launch: string, holder: string): Promise<Chosen> {
  const found = launchOf(parts, launch, holder);
  if (found === undefined || !(await parts.records.consume(kind, launch))) {
    throw new Problem("absent", "this launch is over, or was for somebody else", { remedy: "open the program again" });
  }
  await parts.records.remove(kind, launch);
  return found ?? nothingChosen;
}

const launchSchema = {
  type: "object",
  additionalProperties: false,
  properties: { patient: token, study: token, user: { type: "string", maxLength: 128 } },
};
