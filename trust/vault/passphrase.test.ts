import { systemRandom } from "#base/id";
import { passphraseRoot } from "./passphrase.ts";
import { testRootKey } from "./root-key.contract.ts";

const cost = { memoryKiB: 64, passes: 1, lanes: 1 };

testRootKey("passphrase", async () => ({
  source: passphraseRoot({ passphrase: "correct horse battery staple", random: systemRandom, cost }),
  other: passphraseRoot({ passphrase: "another horse battery staple", random: systemRandom, cost }),
}));
