import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { noDicomwebPlugin, type Orthanc, startOrthanc } from "./orthanc.fixture.ts";
import { dimseQuestions, qidoQuestions } from "./queries-asked.fixture.ts";
import { type Answer, associations, differences, findBy, searchBy } from "./queries-compared.fixture.ts";
import { type Corpus, makeCorpus } from "./queries-corpus.fixture.ts";
import { explanations } from "./queries-explained.fixture.ts";

/* The same studies, sent by DCMTK, in Leadglass and in Debian's Orthanc; what either answers to over 200 questions, compared. */

const skip = noDicomwebPlugin;
let house: RunningHouse;
let orthanc: Orthanc;
let corpus: Corpus;
before(async () => {
  if (skip) return;
  corpus = makeCorpus();
  house = await startHouse();
  house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
  house.command(["device", "add", "WS1", "--address", "127.0.0.1", "--may", "find,retrieve"]);
  orthanc = await startOrthanc(house, { dicomweb: {}, settings: { DefaultEncoding: "Utf8" } });
  await Promise.all([corpus.send(here()), corpus.send(there())]);
});
after(async () => {
  await orthanc?.stop();
  await house?.remove();
  corpus?.remove();
});

const here = () => ({ dicom: house.dicom, aeTitle: "LEADGLASS" });
const there = () => ({ dicom: orthanc.dicom, aeTitle: "ORTHANC" });

/** Asks both each of these; the questions whose answers differ, with how. */
async function compared(questions: readonly string[], ask: (question: string) => Promise<readonly [Answer, Answer]>) {
  const lines: string[] = [];
  for (const question of questions) {
    const [ours, theirs] = await ask(question);
    lines.push(...differences(ours, theirs).map((difference) => `${question} => ${difference}`));
  }
  return lines.sort();
}

/** What was explained of questions of that kind. */
const explained = (isOf: (question: string) => boolean) =>
  explanations
    .flatMap((explanation) => explanation.differences)
    .filter(isOf)
    .sort();
const isQido = (question: string) => question.startsWith("/");

test("there are over 200 questions, each once", () => {
  const all = [...dimseQuestions, ...qidoQuestions];
  assert.ok(dimseQuestions.length >= 100 && qidoQuestions.length >= 100);
  assert.equal(new Set(all).size, all.length);
});

test("C-FIND is answered as by Orthanc, but for what is explained", { skip }, async () => {
  const [ours, theirs] = [await associations(here()), await associations(there())];
  const found = await compared(dimseQuestions, (question) =>
    Promise.all([findBy(ours, question, corpus), findBy(theirs, question, corpus)]),
  );
  for (const association of [...Object.values(ours), ...Object.values(theirs)]) await association.release();
  assert.deepEqual(
    found,
    explained((question) => !isQido(question)),
  );
});

test("QIDO-RS is answered as by Orthanc, but for what is explained", { skip }, async () => {
  const headers = { accept: "application/dicom+json" };
  const ours = (path: string) => house.fetch(`/dicom-web${path}`, { headers });
  const theirs = (path: string) => fetch(`http://127.0.0.1:${orthanc.http}/dicom-web${path}`, { headers });
  const found = await compared(qidoQuestions, (question) =>
    Promise.all([searchBy(ours, question, corpus), searchBy(theirs, question, corpus)]),
  );
  assert.deepEqual(found, explained(isQido));
});
