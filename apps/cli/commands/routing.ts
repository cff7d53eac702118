import { Problem } from "#base/problem";
import type {
  DestinationView,
  DeviceView,
  RoutingRuleRequest,
  RoutingRuleView,
  RoutingTrial,
  RoutingTrialView,
  RoutingView,
} from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import type { Call } from "../call.ts";
import { withServer } from "../with-server.ts";
import {
  changeHelp,
  changesFrom,
  coercionHelp,
  conditionHelp,
  conditionsFrom,
  textOptions,
} from "./routing-options.ts";

const destinationHelp = {
  to: "cloud,keep,AE,…  where it goes: the cloud of an edge, kept here, machines that take images",
  place: "N  its place in the order: 1 is looked at first",
};
const pauseFlags = { pause: "it is not looked at", resume: "it is looked at again" };

export const routeList: Command = {
  words: "route list",
  takes: "",
  does: "the rules by which images go on when they have come, what each has done, and what was held back",
  run: (context) =>
    withServer(context, async (call) => {
      const view = await call.json<RoutingView>("GET", "/api/routing");
      const aeOf = await titles(call);
      const rules = view.rules.map((rule, at) => `${at + 1}  ${lineOf(rule, aeOf)}`);
      const held = view.held.map(({ id, study, to, reason, count }) =>
        ["held", id, `study ${study}`, `for ${aeOf(to)}`, reason, `${count} images`].join("  "),
      );
      const usual = view.hasCloud ? "else: kept, and to the cloud" : "else: kept";
      context.print([...rules, usual, ...held].join("\n"), view);
    }),
};

export const routeAdd: Command = {
  words: "route add",
  takes: "NAME --to cloud,keep,AE,…",
  does: "a rule more, behind the others: the first that fits an image decides where it goes",
  options: { ...destinationHelp, ...conditionHelp, ...changeHelp },
  lists: coercionHelp,
  flags: pauseFlags,
  run: (context) =>
    withServer(context, async (call) => {
      const [name] = context.positionals;
      if (name === undefined || context.options.to === undefined) {
        throw new Problem("invalid", "NAME and --to are needed", {
          remedy: 'leadglass route add "Night CT" --modality CT --hours 18:00-07:00 --to keep,NIGHT',
        });
      }
      const blank = { name, isPaused: false, when: {}, cloud: false, keep: true, machines: [] };
      const request = await requestFrom(context, call, blank);
      const rule = await call.json<RoutingRuleView>("POST", "/api/routing/rules", request);
      await placed(context, call, rule);
      context.print(lineOf(rule, await titles(call)), rule);
    }),
};

export const routeChange: Command = {
  words: "route change",
  takes: "NAME",
  does: "changes what of a rule is given; `none` takes a condition away",
  options: { ...destinationHelp, ...conditionHelp, ...changeHelp, name: "NAME  what it is called from now on" },
  lists: coercionHelp,
  flags: pauseFlags,
  run: (context) =>
    withServer(context, async (call) => {
      const { id, counts: _, ...before } = await ruleNamed(call, context.positionals[0]);
      const request = await requestFrom(context, call, { ...before, name: context.options.name ?? before.name });
      const rule = await call.json<RoutingRuleView>("PUT", `/api/routing/rules/${id}`, request);
      await placed(context, call, rule);
      context.print(lineOf(rule, await titles(call)), rule);
    }),
};

export const routeRemove: Command = {
  words: "route remove",
  takes: "NAME",
  does: "a rule less; what it has queued is still sent",
  run: (context) =>
    withServer(context, async (call) => {
      const rule = await ruleNamed(call, context.positionals[0]);
      await call.json("DELETE", `/api/routing/rules/${rule.id}`);
      context.print(`removed ${rule.name}`, rule);
    }),
};

export const routeTry: Command = {
  words: "route try",
  takes: "[STUDY]",
  does: "what would happen to an image of which this is known, or to each series of a study; nothing is sent",
  options: { ...conditionHelp, at: "TIME  at this time, such as 2026-03-01T22:00" },
  run: (context) =>
    withServer(context, async (call) => {
      const [study] = context.positionals;
      const tried =
        study === undefined
          ? [await call.json<RoutingTrialView>("POST", "/api/routing/try", await trialFrom(context, call))]
          : await call.json<RoutingTrialView[]>("GET", `/api/routing/try/${encodeURIComponent(study)}`);
      const aeOf = await titles(call);
      const lines = tried.map(({ series, rule, isChanged, ...to }) =>
        [...(series === undefined ? [] : [series]), rule?.name ?? "no rule fits", destinationsOf(to, aeOf)]
          .concat(isChanged ? ["changed on the way"] : [])
          .join("  "),
      );
      context.print(lines.join("\n"), tried);
    }),
};

async function trialFrom({ options }: CommandContext, call: Call): Promise<RoutingTrial> {
  const facts: Record<string, string> = {};
  for (const [name, { text }] of Object.entries(textOptions)) {
    const given = options[name];
    if (given !== undefined) facts[text] = text === "machine" ? await senderNamed(call, given) : given;
  }
  if (options.at === undefined) return facts;
  const at = Date.parse(options.at);
  if (Number.isNaN(at)) throw new Problem("invalid", "--at takes a time", { remedy: "--at 2026-03-01T22:00" });
  return { ...facts, at };
}

async function requestFrom(
  context: CommandContext,
  call: Call,
  before: RoutingRuleRequest,
): Promise<RoutingRuleRequest> {
  const { changes, ...rest } = before;
  const when = await conditionsFrom(context, before.when, (ae) => senderNamed(call, ae));
  const to = context.options.to?.split(",").map((each) => each.trim());
  const machines = to?.filter((each) => each !== "cloud" && each !== "keep");
  const changed = changesFrom(context, changes);
  const { flags } = context;
  return {
    ...{ ...rest, when },
    ...(to && { cloud: to.includes("cloud"), keep: to.includes("keep") }),
    ...(machines && { machines: await Promise.all(machines.map((ae) => takerNamed(call, ae))) }),
    ...((flags.has("pause") || flags.has("resume")) && { isPaused: flags.has("pause") }),
    ...((changed.coercions.length > 0 || changed.deidentify !== undefined) && { changes: changed }),
  };
}

async function placed({ options }: CommandContext, call: Call, rule: RoutingRuleView): Promise<void> {
  if (options.place === undefined) return;
  const place = Number(options.place);
  const { rules } = await call.json<RoutingView>("GET", "/api/routing");
  if (!Number.isInteger(place) || place < 1 || place > rules.length) {
    throw new Problem("invalid", "--place takes a place in the order", { remedy: `1 to ${rules.length}` });
  }
  const others = rules.map(({ id }) => id).filter((id) => id !== rule.id);
  await call.json("PUT", "/api/routing/order", { ids: others.toSpliced(place - 1, 0, rule.id) });
}

async function ruleNamed(call: Call, name: string | undefined): Promise<RoutingRuleView> {
  const { rules } = await call.json<RoutingView>("GET", "/api/routing");
  const [rule, ...others] = rules.filter((one) => one.name === name || one.id === name);
  if (rule !== undefined && others.length === 0) return rule;
  throw new Problem("absent", "no rule of that name, or more than one", {
    remedy: "leadglass route list shows those there are",
  });
}

async function takerNamed(call: Call, ae: string): Promise<string> {
  return only(await call.json<DestinationView[]>("GET", "/api/destinations"), ae, "takes images");
}

async function senderNamed(call: Call, ae: string): Promise<string> {
  return only(await call.json<DeviceView[]>("GET", "/api/devices"), ae, "is registered");
}

function only(known: readonly DestinationView[], ae: string, what: string): string {
  const [machine, ...others] = known.filter((one) => one.ae === ae);
  if (machine !== undefined && others.length === 0) return machine.id;
  throw new Problem("absent", `no machine of that title ${what}, or more than one does`, {
    remedy: "leadglass device list shows them",
  });
}

async function titles(call: Call): Promise<(id: string) => string> {
  const known = await call.json<DeviceView[]>("GET", "/api/devices");
  return (id) => known.find((one) => one.id === id)?.ae ?? "a machine that is gone";
}

function lineOf(
  { name, isPaused, when, changes, counts, ...to }: RoutingRuleView,
  aeOf: (id: string) => string,
): string {
  const texts = Object.entries(textOptions).flatMap(([option, { text }]) => {
    const condition = when[text];
    if (condition === undefined) return [];
    const is = text === "machine" ? condition.is.map(aeOf) : condition.is;
    return [`${option} ${condition.not === true ? "!" : ""}${is.join(",")}`];
  });
  const hours = when.hours === undefined ? [] : [hoursOf(when.hours)];
  const conditions = [...texts, ...hours].join(", ") || "every image";
  const changed = changes === undefined ? [] : [changes.deidentify === undefined ? "changed" : "de-identified"];
  const done = `${counts.matched} images, ${counts.sent} sent, ${counts.held} held`;
  return [name, conditions, `→ ${destinationsOf(to, aeOf)}`, ...changed, ...(isPaused ? ["paused"] : []), done].join(
    "  ",
  );
}

function hoursOf({ from, to, weekdays, not }: NonNullable<RoutingRuleRequest["when"]["hours"]>): string {
  const clock = (minute: number) =>
    `${minute / 60 < 10 ? "0" : ""}${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, "0")}`;
  const days = weekdays.map((day) => ["sun", "mon", "tue", "wed", "thu", "fri", "sat"][day]).join(",");
  return `hours ${not === true ? "!" : ""}${clock(from)}-${clock(to)}${days === "" ? "" : ` ${days}`}`;
}

function destinationsOf(
  { cloud, keep, machines }: Pick<RoutingTrialView, "cloud" | "keep" | "machines">,
  aeOf: (id: string) => string,
): string {
  return [...(cloud ? ["cloud"] : []), ...(keep ? ["keep"] : []), ...machines.map(aeOf)].join(", ");
}
