// Run as a process of its own, since Node reads further authorities once: asks a key service at each address for a key to be
// wrapped, and prints what became of it. `node kms-caller.fixture.ts PORT…`
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { awsRoot } from "#stores/keys";

const outcomeAt = async (port: string): Promise<string> => {
  const source = awsRoot({
    keyArn: "arn:aws:kms:eu-central-1:111122223333:key/1",
    credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
    endpoint: `https://localhost:${port}/`,
    clock: systemClock,
    random: systemRandom,
  });
  try {
    const key = await source(undefined);
    await key?.wrap(Buffer.alloc(32), "context");
    return "taken";
  } catch (error) {
    const { cause } = error as { cause?: { cause?: { code?: string } } };
    return cause?.cause?.code ?? (error as Error).message;
  }
};

process.stdout.write(JSON.stringify(await Promise.all(process.argv.slice(2).map(outcomeAt))));
