import { rename, writeFile } from "node:fs/promises";
import { startOptions } from "../../home/index.ts";
import type { RunningServer } from "../../server/index.ts";
import { type Command, untilAskedToStop } from "../arguments.ts";

/** Ready files are read by scripts that poll: the name appears with its whole content. */
async function writeReadyFile(path: string, line: object): Promise<void> {
  await writeFile(`${path}.part`, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  await rename(`${path}.part`, path);
}

export const start: Command = {
  words: "start",
  takes: "[--ready-file F]",
  does: "run until Ctrl-C; makes the home when there is none",
  options: {
    "ready-file": "F  write one JSON line there when all listeners accept",
    ...Object.fromEntries(
      startOptions.map(({ option, variable, fallback }) => [
        option,
        `V  (${variable}, else ${fallback || "see docs"})`,
      ]),
    ),
  },
  async run(context) {
    const { readConfiguration, startServer } = await import("../../server/index.ts");
    const configuration = readConfiguration({ ...context.options, home: context.home }, context.environment);
    const server = await startServer(configuration, {
      listen: "all",
      logLine: (line) => process.stderr.write(`${line}\n`),
      configurationOf: (tenant) => readConfiguration({ home: tenant }, context.environment),
    });
    const asked = untilAskedToStop(context);
    const { https, dicom, dicomTls, hl7, hl7Tls, ca } = server;
    const ports = { pid: process.pid, https, dicom, dicomTls, hl7, hl7Tls };
    context.print(await welcome(server), { ...ports, setup: await server.setupLink() });
    const readyFile = context.options["ready-file"];
    if (readyFile !== undefined) {
      await writeReadyFile(readyFile, { ...ports, ca });
    }
    await asked;
    await server.close();
  },
};

async function welcome(server: RunningServer): Promise<string> {
  const link = await server.setupLink();
  const where = link ?? server.url;
  const next = link === undefined ? "Sign in at" : "Make the administrator at this one-use link";
  return [
    "",
    "  Leadglass is running.",
    "",
    `  ${next}:`,
    `    ${where}`,
    "",
    "  The certificate is this installation's own; your browser asks once. Its SHA-256 begins",
    `    ${server.fingerprint.slice(0, 47)}`,
    `  or trust ${server.ca} to be asked never.`,
    "",
    `  DICOM: ${server.aeTitle} at ${server.dicomHost} port ${server.dicom}; admit a sender with`,
    "    bin/leadglass device add AE --address A",
    ...(server.dicomTls === null
      ? []
      : [`  over TLS at port ${server.dicomTls}; with --certificate DIR a sender gets its certificate`]),
    ...(server.hl7 === null ? [] : [`  HL7 v2: port ${server.hl7}; admit a system with --may orders,patients`]),
    "",
    "  Ctrl-C stops it.",
    "",
  ].join("\n");
}
