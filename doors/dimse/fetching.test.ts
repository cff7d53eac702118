import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { isProblem, Problem } from "#base/problem";
import { type DimseServices, fetchStudy, findStudies, openAssociation, type StoreRequest } from "./index.ts";
import { connectTo, ct, doorWith } from "./scp.fixture.ts";
import { listed, retrieving, serving, stored, studyFind, studyGet, studyMove } from "./services.fixture.ts";

const studyUid = "1.2.3";
const known = { StudyInstanceUID: studyUid, PatientName: "Müller^Änne", ModalitiesInStudy: ["CT", "SR"] };

/** An archive with a study, and what comes from it. */
function archiveWith(services: Partial<DimseServices>) {
  const { door } = serving(services);
  const received: StoreRequest[] = [];
  const proposed: string[][] = [];
  const { store } = doorWith();
  const progress: unknown[] = [];
  return {
    received,
    proposed,
    progress,
    fetching: {
      async open(contexts: Parameters<Parameters<typeof findStudies>[0]>[0]) {
        proposed.push(contexts.map(({ sopClassUid }) => sopClassUid));
        const proposal = { callingAe: "LEADGLASS", calledAe: "LEADGLASS", contexts };
        return openAssociation(connectTo(door), proposal, { clock: systemClock });
      },
      receive(request: StoreRequest) {
        received.push(request);
        return store(request);
      },
      ownAe: "STATION",
      signal: new AbortController().signal,
      note: (far: unknown) => void progress.push(far),
    },
  };
}

const finds = (found: Parameters<typeof listed>[0]) => new Map([[studyFind, listed(found)]]);

test("a search gives the values of what matches, of any character set, by keyword", async () => {
  const { fetching } = archiveWith({ finds: finds([known]) });
  const [study] = await findStudies(fetching.open, { PatientName: "Mü*" }, fetching.signal);
  assert.equal(study?.PatientName, "Müller^Änne");
  assert.equal(study?.ModalitiesInStudy, "CT\\SR");
});

test("of what an archive answers only what was asked for is kept, and no more of it than can be right", async () => {
  const loud = { ...known, StudyComments: "x".repeat(100_000), StudyDescription: "y".repeat(60_000) };
  const { fetching } = archiveWith({ finds: finds([loud]) });
  const [study] = await findStudies(fetching.open, { StudyID: "" }, fetching.signal);
  assert.deepEqual([study?.StudyComments, study?.StudyDescription?.length], [undefined, 8_192]);
});

test("an archive that has more than can be shown is asked no further", async () => {
  const many = Array.from({ length: 2_000 }, (_, at) => ({ StudyInstanceUID: `1.2.${at}` }));
  const { fetching } = archiveWith({ finds: finds(many) });
  assert.equal((await findStudies(fetching.open, {}, fetching.signal)).length, 500);
});

test("a study comes by C-GET, in contexts for the SOP classes that the archive names", async () => {
  const retrieves = new Map([[studyGet, retrieving([stored(1), stored(2)])]]);
  const { fetching, received, proposed } = archiveWith({
    finds: finds([{ ...known, SOPClassesInStudy: ct }]),
    retrieves,
  });
  await fetchStudy(studyUid, fetching);
  assert.deepEqual(
    received.map(({ sopInstanceUid }) => sopInstanceUid),
    ["1.2.3.1", "1.2.3.2"],
  );
  assert.deepEqual([...new Set(proposed[1])], [studyGet, ct]);
});

test("where nothing is known of a study, contexts for all that is usual are proposed, and no more than fit", async () => {
  const retrieves = new Map([[studyGet, retrieving([stored(1)])]]);
  const { fetching, received, proposed } = archiveWith({ finds: finds([known]), retrieves });
  await fetchStudy(studyUid, fetching);
  assert.equal(received.length, 1);
  assert.ok((proposed[1]?.length ?? 0) <= 128 && proposed[1]?.includes(ct));
});

test("what an archive that names no SOP classes could not send in the syntaxes that it chose, it is asked for plain, and not by C-MOVE too", async () => {
  const failingAt = (round: number, number: number) => {
    const one = stored(number);
    let times = 0;
    return { ...one, open: (uids: readonly string[]) => (times++ === round ? Promise.reject(none) : one.open(uids)) };
  };
  const none = new Problem("unsupported", "in none of these syntaxes");
  const retrieves = new Map([[studyGet, retrieving([failingAt(0, 1), failingAt(1, 2)])]]);
  const { fetching, received, proposed } = archiveWith({ finds: finds([known]), retrieves });
  await fetchStudy(studyUid, fetching);
  assert.deepEqual(received.map(({ sopInstanceUid }) => sopInstanceUid).sort(), ["1.2.3.1", "1.2.3.2"]);
  assert.deepEqual(
    proposed.map(([first]) => first),
    [studyFind, studyGet, studyGet],
  );
});

test("an archive without C-GET, or that fails at it, is asked by C-MOVE to send to us", async () => {
  const station = doorWith();
  for (const get of [undefined, retrieving([stored(1, { fails: true })])]) {
    station.kept.length = 0;
    const move = retrieving([stored(1)], { STATION: doorAt(station) });
    const retrieves = new Map([[studyMove, move], ...(get ? ([[studyGet, get]] as const) : [])]);
    const { fetching } = archiveWith({ finds: finds([known]), retrieves });
    await fetchStudy(studyUid, fetching);
    assert.equal(station.kept.length, 1);
  }
});

function doorAt({ store }: ReturnType<typeof doorWith>) {
  return doorWith({ aeTitle: "STATION", services: { echo: async () => {}, store } }).door;
}

test("a study that is not there is absent; one that does not come whole says how much is missing", async () => {
  const nothing = archiveWith({ finds: finds([]) });
  await assert.rejects(fetchStudy(studyUid, nothing.fetching), (error) => isProblem(error, "absent"));
  const refusing = doorWith();
  const door = doorWith({
    aeTitle: "STATION",
    services: {
      echo: async () => {},
      store(request) {
        if (request.sopInstanceUid === "1.2.3.2") throw new Problem("no-room", "full");
        return refusing.store(request);
      },
    },
  }).door;
  const move = retrieving([stored(1), stored(2)], { STATION: door });
  const half = archiveWith({ finds: finds([known]), retrieves: new Map([[studyMove, move]]) });
  await assert.rejects(
    fetchStudy(studyUid, half.fetching),
    (error) => isProblem(error, "unavailable") && /1 of 2/.test(error.message),
  );
  const unknown = archiveWith({ finds: finds([known]), retrieves: new Map([[studyMove, retrieving([stored(1)])]]) });
  await assert.rejects(fetchStudy(studyUid, unknown.fetching), (error) => isProblem(error, "absent"));
});
