import { Problem } from "#base/problem";
import {
  type MessageDetail,
  type MessagePage,
  type MessageView,
  messageStates,
  type PartnerTerms,
  type PartnerView,
  partnerCharacterSets,
} from "#formats/api";
import { describedMessage } from "#formats/hl7";
import type { Command } from "../arguments.ts";
import type { Call } from "../call.ts";
import { withServer } from "../with-server.ts";

const when = (time: number) => new Date(time).toISOString();

export const partnerList: Command = {
  words: "partner list",
  takes: "",
  does: "the systems that are sent results and order status by HL7, and how their queues stand",
  run: (context) =>
    withServer(context, async (call) => {
      const found = await call.json<PartnerView[]>("GET", "/api/partners");
      const none = "no partner yet: leadglass device add RIS --address A --port P --may results,status";
      context.print(found.map(partnerLine).join("\n") || none, found);
    }),
};

export const partnerSet: Command = {
  words: "partner set",
  takes: "AE [--to APPLICATION[|FACILITY]] [--as APPLICATION[|FACILITY]] [--characters SET] [--acknowledgment MODE]",
  does: "how a partner is written to; what is left out stays as it is",
  options: {
    to: "NAMES  receiving application and facility (MSH-5, MSH-6)",
    as: "NAMES  sending application and facility (MSH-3, MSH-4)",
    characters: `SET  character set (MSH-18): ${partnerCharacterSets.join(", ")}`,
    acknowledgment: "MODE  original: it says what it did with a message; enhanced: that it has taken it",
  },
  run: (context) =>
    withServer(context, async (call) => {
      const partner = await partnerNamed(call, context.positionals[0]);
      const { to, as, characters, acknowledgment } = context.options;
      const [application, facility] = namesIn(to, [partner.application, partner.facility]);
      const [ownApplication, ownFacility] = namesIn(as, [partner.ownApplication, partner.ownFacility]);
      if (acknowledgment !== undefined && acknowledgment !== "original" && acknowledgment !== "enhanced") {
        throw new Problem("invalid", "--acknowledgment takes original or enhanced");
      }
      const terms: PartnerTerms = {
        ...{ application, facility, ownApplication, ownFacility },
        characterSet: characters ?? partner.characterSet,
        acknowledgment: acknowledgment ?? partner.acknowledgment,
      };
      const changed = await call.json<PartnerView>("PUT", `/api/partners/${partner.device.id}`, terms);
      context.print(partnerLine(changed), changed);
    }),
};

export const partnerPause = steering("pause", "send nothing to a partner until it is resumed; what comes waits");
export const partnerResume = steering("resume", "send to a partner again, what waits first, and now");

function steering(word: "pause" | "resume", does: string): Command {
  return {
    words: `partner ${word}`,
    takes: "AE",
    does,
    run: (context) =>
      withServer(context, async (call) => {
        const { device } = await partnerNamed(call, context.positionals[0]);
        const partner = await call.json<PartnerView>("POST", `/api/partners/${device.id}/${word}`);
        context.print(partnerLine(partner), partner);
      }),
  };
}

export const messages: Command = {
  words: "messages",
  takes: "[--partner AE] [--direction in|out] [--state STATE] [--kind ADT^A08] [--before ID] [--limit N]",
  does: "HL7 messages that came and went in the last days, the newest first",
  options: {
    partner: "AE  of this system",
    direction: "WAY  in or out",
    state: `STATE  ${messageStates.join(", ")}`,
    kind: "TYPE  message type and event",
    before: "ID  older ones than this",
    limit: "N  so many, 200 at most; 50 where nothing is said",
  },
  run: (context) =>
    withServer(context, async (call) => {
      const { partner, limit = "50", ...others } = context.options;
      const chosen = ["direction", "state", "kind", "before"].flatMap((name) => {
        const value = others[name];
        return value === undefined ? [] : [[name, value]];
      });
      const of = partner === undefined ? [] : [["partner", await deviceNamed(call, partner)]];
      const query = new URLSearchParams([...chosen, ...of, ["limit", limit]]);
      const page = await call.json<MessagePage>("GET", `/api/messages?${query}`);
      const more = page.isMore ? `\nolder ones: --before ${page.messages.at(-1)?.id}` : "";
      context.print(page.messages.map(messageLine).join("\n") + more || "no such messages", page);
    }),
};

export const messageShow: Command = {
  words: "message show",
  takes: "ID",
  does: "one message by its segments, and what was answered; a look that is logged",
  run: (context) =>
    withServer(context, async (call) => {
      const found = await call.json<MessageDetail>("GET", `/api/messages/${idIn(context.positionals)}`);
      const answers = found.answers.flatMap((answer, at) => ["", `answer ${at + 1}:`, ...linesOf(answer)]);
      const cut = found.isCut ? ["(the message was longer than is kept)"] : [];
      const text = [messageLine(found), "", ...linesOf(found.bytes), ...cut, ...answers].join("\n");
      context.print(text, found);
    }),
};

export const messageReplay: Command = {
  words: "message replay",
  takes: "ID",
  does: "send a message again under its control ID, or have one that came in processed again as it came",
  run: (context) =>
    withServer(context, async (call) => {
      const made = await call.json<MessageView>("POST", `/api/messages/${idIn(context.positionals)}/replay`);
      context.print(messageLine(made), made);
    }),
};

export const messageCancel: Command = {
  words: "message cancel",
  takes: "ID",
  does: "do not send a message that waits",
  run: (context) =>
    withServer(context, async (call) => {
      const made = await call.json<MessageView>("DELETE", `/api/messages/${idIn(context.positionals)}`);
      context.print(messageLine(made), made);
    }),
};

function idIn([id]: readonly string[]): string {
  if (id !== undefined) return encodeURIComponent(id);
  throw new Problem("invalid", "ID is needed", { remedy: "leadglass messages lists them" });
}

function namesIn(text: string | undefined, before: readonly [string, string]): readonly [string, string] {
  if (text === undefined) return before;
  const [application = "", facility = ""] = text.split("|");
  return [application, facility];
}

async function partnerNamed(call: Call, ae: string | undefined): Promise<PartnerView> {
  const known = await call.json<PartnerView[]>("GET", "/api/partners");
  const [partner, ...others] = known.filter(({ device }) => device.ae === ae);
  if (partner !== undefined && others.length === 0) return partner;
  throw new Problem("absent", "no partner of that title, or more than one", {
    remedy: "leadglass partner list shows those there are",
  });
}

/** Also one that only sends. */
async function deviceNamed(call: Call, ae: string): Promise<string> {
  const known = await call.json<{ readonly id: string; readonly ae: string }[]>("GET", "/api/devices");
  const device = known.find((one) => one.ae === ae);
  if (device !== undefined) return device.id;
  throw new Problem("absent", "no such device", { remedy: "leadglass device list shows those there are" });
}

function partnerLine(partner: PartnerView): string {
  const { device, takes, isPaused, waiting, oldestAt, problem, nextAt } = partner;
  const names = [partner.application, partner.facility].filter((name) => name !== "").join("|");
  const queue = waiting === 0 ? "nothing waits" : `${waiting} wait, since ${when(oldestAt ?? 0)}`;
  const why = problem === undefined ? "" : `${problem}${nextAt === undefined ? "" : `, again ${when(nextAt)}`}`;
  const state = isPaused ? "PAUSED" : "";
  return [device.ae.padEnd(16), names.padEnd(20), takes.join(",").padEnd(14), partner.acknowledgment, queue, state, why]
    .filter((part) => part !== "")
    .join("  ");
}

function messageLine(message: MessageView): string {
  const { id, direction, partner, kind, controlId, state, at, problem, replayOf } = message;
  const again = replayOf === undefined ? "" : `again ${replayOf}`;
  const parts = [when(at), id, direction.padEnd(3), partner.ae.padEnd(16), kind.padEnd(7), state.padEnd(9)];
  return [...parts, controlId, again, problem ?? ""].filter((part) => part !== "").join("  ");
}

function linesOf(base64: string): string[] {
  const described = describedMessage(Buffer.from(base64, "base64"));
  if (described === undefined) return ["(no HL7 message)"];
  return described.flatMap(({ name, fields }) => [
    name,
    ...fields.flatMap(({ number, name: called, text }) => {
      const [first = "", ...rest] = text.split("\n");
      const label = `  ${number}`.padEnd(6) + called.padEnd(28);
      return [`${label}${first}`, ...rest.map((line) => " ".repeat(label.length) + line)];
    }),
  ]);
}
