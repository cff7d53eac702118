import { Problem } from "#base/problem";
import type { DisclosureReport, LooksPage, MadeShare, MarkedPatientView, ReviewPage, ShareView } from "#formats/api";
import type { Command } from "../arguments.ts";
import { withServer } from "../with-server.ts";

const when = (time: number) => (time === 0 ? "never" : new Date(time).toISOString());
const missing = (what: string, example: string) => new Problem("invalid", `${what} is needed`, { remedy: example });

export const shareAdd: Command = {
  words: "share add",
  takes: "STUDY --for WHO",
  does: "a link to a study for somebody outside, and the code that opens it, to be told another way",
  options: {
    for: "WHO  who it is for; an accounting of disclosures names them",
    days: "N  how long it holds, 1 to 30; 7 if left out",
    note: "TEXT  for those who see the list of links",
  },
  flags: { download: "whole instances too, not only a look" },
  run: (context) =>
    withServer(context, async (call) => {
      const [study] = context.positionals;
      const { for: recipient, days = "7", note } = context.options;
      if (study === undefined || recipient === undefined) {
        throw missing("STUDY and --for", 'leadglass share add STUDY --for "Dr. Doe, Elsewhere"');
      }
      const mode = context.flags.has("download") ? "download" : "view";
      const terms = { study, mode, days: Number(days), recipient, ...(note !== undefined && { note }) };
      const made = await call.json<MadeShare>("POST", "/api/shares", terms);
      const lines = [
        `link for ${made.recipient}, until ${when(made.endsAt)}:`,
        `  ${made.link}`,
        `code: ${made.code}`,
        "tell the code another way than the link: neither is shown again",
      ];
      context.print(lines.join("\n"), made);
    }),
};

export const shareList: Command = {
  words: "share list",
  takes: "[STUDY]",
  does: "the links there have been, and how often each was opened",
  run: (context) =>
    withServer(context, async (call) => {
      const [study] = context.positionals;
      const shares = await call.json<ShareView[]>("GET", `/api/shares${study === undefined ? "" : `?study=${study}`}`);
      const lines = shares.map(({ id, recipient, mode, isLive, endsAt, uses, lastUsedAt, madeBy }) =>
        [
          ...[id, isLive ? `until ${when(endsAt)}` : "ENDED", mode, `opened ${uses}, last ${when(lastUsedAt)}`],
          `${recipient} (by ${madeBy})`,
        ].join("  "),
      );
      context.print(lines.join("\n") || "no links", shares);
    }),
};

export const shareEnd: Command = {
  words: "share end",
  takes: "ID",
  does: "end a link: whoever opened it is out at once",
  run: (context) =>
    withServer(context, async (call) => {
      const [id] = context.positionals;
      if (id === undefined) throw missing("ID", "leadglass share list");
      await call.json("DELETE", `/api/shares/${encodeURIComponent(id)}`);
      context.print("ended", { ended: id });
    }),
};

export const reviewList: Command = {
  words: "review list",
  takes: "",
  does: "looks in an emergency and unusual ones, which somebody else than who looked judges on the page Reviews",
  flags: { decided: "those that were judged" },
  run: (context) =>
    withServer(context, async (call) => {
      const state = context.flags.has("decided") ? "decided" : "open";
      const page = await call.json<ReviewPage>("GET", `/api/reviews?state=${state}`);
      const lines = page.reviews.map(({ kind, actorName, count, lastAt, outcome, reviewer, reasons }) =>
        [
          ...[when(lastAt), kind.padEnd(12), actorName, `${count} times`],
          ...(outcome === "" ? reasons : [`${outcome}, by ${reviewer}`]),
        ].join("  "),
      );
      context.print(lines.join("\n") || "nothing waits", page);
    }),
};

export const patientMark: Command = {
  words: "patient mark",
  takes: "PATIENTID --reason TEXT",
  does: "have every look at this patient reviewed",
  options: { issuer: "ISSUER  of the number", reason: "TEXT  why" },
  run: (context) =>
    withServer(context, async (call) => {
      const [patientId] = context.positionals;
      const { issuer, reason } = context.options;
      if (patientId === undefined || reason === undefined) {
        throw missing("PATIENTID and --reason", 'leadglass patient mark 4711 --reason "works here"');
      }
      const request = { patientId, reason, ...(issuer !== undefined && { issuer }) };
      const marked = await call.json<MarkedPatientView>("POST", "/api/marked-patients", request);
      context.print(`marked: ${marked.patient}`, marked);
    }),
};

export const patientUnmark: Command = {
  words: "patient unmark",
  takes: "PATIENT",
  does: "no longer have every look at this patient (a token) reviewed",
  run: (context) =>
    withServer(context, async (call) => {
      const [patient] = context.positionals;
      if (patient === undefined) throw missing("PATIENT", "leadglass patient marked");
      await call.json("DELETE", `/api/marked-patients/${encodeURIComponent(patient)}`);
      context.print("not marked any more", { unmarked: patient });
    }),
};

export const patientMarked: Command = {
  words: "patient marked",
  takes: "",
  does: "patients whose every look is reviewed",
  run: (context) =>
    withServer(context, async (call) => {
      const marked = await call.json<MarkedPatientView[]>("GET", "/api/marked-patients");
      const lines = marked.map(
        ({ patient, markedAt, markedBy, reason }) => `${patient}  ${when(markedAt)}  ${markedBy}  ${reason}`,
      );
      context.print(lines.join("\n") || "none", marked);
    }),
};

export const userDescribe: Command = {
  words: "user describe",
  takes: "NAME --full-name NAME",
  does: "what a person is called, so that looks at their own family are reviewed",
  options: { "full-name": "NAME  Family^Given, as in images", "birth-date": "YYYYMMDD  to notice looks at themselves" },
  run: (context) =>
    withServer(context, async (call) => {
      const [account] = context.positionals;
      const { "full-name": fullName, "birth-date": birthDate } = context.options;
      if (account === undefined || fullName === undefined) {
        throw missing("NAME and --full-name", "leadglass user describe bob@example.org --full-name Doe^Bob");
      }
      const facts = { account, fullName, ...(birthDate !== undefined && { birthDate }) };
      await call.json("PUT", "/api/accounts/facts", facts);
      context.print("noted, sealed", { described: account });
    }),
};

export const studyLooks: Command = {
  words: "study looks",
  takes: "STUDY",
  does: "who looked at a study, newest first",
  run: (context) =>
    withServer(context, async (call) => {
      const [study] = context.positionals;
      if (study === undefined) throw missing("STUDY", "leadglass study looks STUDY");
      const page = await call.json<LooksPage>("GET", `/api/studies/${encodeURIComponent(study)}/looks?limit=500`);
      const lines = page.looks.map(
        ({ at, what, actorName, purpose, outcome }) =>
          `${when(at)}  ${what.padEnd(11)}  ${actorName}  ${purpose}${outcome === "done" ? "" : `  ${outcome}`}`,
      );
      context.print(lines.join("\n") || "nobody", page);
    }),
};

export const patientDisclosures: Command = {
  words: "patient disclosures",
  takes: "PATIENT",
  does: "what was disclosed of a patient (a token) to whom, in plain words, six years back",
  flags: { "excluding-tpo": "leave out treatment, payment and operations" },
  run: (context) =>
    withServer(context, async (call) => {
      const [patient] = context.positionals;
      if (patient === undefined) throw missing("PATIENT", "leadglass patient disclosures PATIENT");
      const query = context.flags.has("excluding-tpo") ? "?excluding=tpo" : "";
      const path = `/api/patients/${encodeURIComponent(patient)}/disclosures${query}`;
      const report = await call.json<DisclosureReport>("GET", path);
      const lines = report.disclosures.map(
        ({ lastAt, who, description, purposeDescription, count }) =>
          `${when(lastAt)}  ${who} ${description} (${purposeDescription}), ${count} times`,
      );
      context.print(lines.join("\n") || "nothing", report);
    }),
};
