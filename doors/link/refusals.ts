import { Problem } from "#base/problem";
import type { Farewell, RefusalReason } from "./frames.ts";

const remedies: Readonly<Record<RefusalReason, string>> = {
  invalid: "look at the object on the device's page: the same bytes will be refused again",
  denied: "see that the device is enrolled for this tenant and not revoked",
  unproven: "enrol the device again",
  absent: "see that what the object belongs to still exists in the cloud",
  conflict: "wait: the object is tried again",
  unsupported: "update the cloud or the device so that their versions fit",
  "too-large": "raise the cloud's limit, or send the object another way",
  "no-room": "free or add storage in the cloud; the device keeps the object meanwhile",
  busy: "wait: the object is tried again",
  damaged: "look at the device's disk: the bytes do not fit their hash",
  unavailable: "wait: the object is tried again",
  fault: "see the log of the cloud at this time",
};

/** What the device tells of an object that the cloud refused. */
export function refusalProblem(reason: RefusalReason): Problem {
  return new Problem(reason, `the cloud did not take an object (${reason})`, { remedy: remedies[reason] });
}

/** What the device tells of a cloud that took leave. */
export function farewellProblem(reason: Farewell): Problem {
  switch (reason) {
    case "leaving":
      return new Problem("unavailable", "the cloud is closing its end of the link", {
        remedy: "nothing: the device connects again by itself",
      });
    case "other-version":
      return new Problem("unsupported", "the cloud speaks another version of the link", {
        remedy: "update the device, or the cloud, so that their versions fit",
      });
    case "broken-rule":
      return new Problem("invalid", "the cloud found a rule of the link broken", {
        remedy: "see that both ends run versions that fit each other",
      });
    case "too-many":
      return new Problem("busy", "the cloud has as many streams of this device as it takes", {
        remedy: "nothing: the device goes on with those it has",
      });
  }
}

/** What either end says of a frame that has no place where it came. */
export function outOfTurn(): Problem {
  return new Problem("invalid", "the other end of the link sent a frame out of turn", {
    remedy: "see that both ends run versions that fit each other",
  });
}
