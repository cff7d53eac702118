import type { ParcelKeyView } from "#formats/api";
import type { Command } from "../arguments.ts";
import { withServer } from "../with-server.ts";

export const edgeRotateKey: Command = {
  words: "edge rotate-key",
  takes: "[--destroy-former]",
  does: "on the cloud: edges seal to another key from now on, as they do once a year by themselves",
  flags: {
    "destroy-former":
      "destroy instead the keys before the newest: what edges, or thieves, still hold sealed to them stays sealed for ever",
  },
  run: (context) =>
    withServer(context, async (call) => {
      const key = context.flags.has("destroy-former")
        ? await call.json<ParcelKeyView>("DELETE", "/api/edges/parcel-key/former")
        : await call.json<ParcelKeyView>("POST", "/api/edges/parcel-key");
      const kept = key.former === 0 ? "no key before it is left" : `${key.former} before it open what edges still hold`;
      context.print(
        `edges seal to the key ${key.id}; ${kept}\nback the home up: what they seal opens with it alone`,
        key,
      );
    }),
};
