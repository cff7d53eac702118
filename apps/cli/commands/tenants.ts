import { Problem } from "#base/problem";
import type { RemovedTenantView, TenantRequest, TenantView } from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import { withServer } from "../with-server.ts";

function nameOf({ positionals: [name, ...more] }: CommandContext): string {
  if (name !== undefined && more.length === 0) return name;
  throw new Problem("invalid", "NAME is needed", {
    remedy: "leadglass tenant add clinic-a --host clinic-a.example.org",
  });
}

/** For `tenant list` and `status`. */
export function tenantLine({ name, hosts, aeTitle, state, problem }: TenantView): string {
  const said = state === "out-of-service" ? `OUT OF SERVICE: ${problem?.message}` : state.replace("-", " ");
  return `${name}: ${hosts.join(", ") || "no host"}, DICOM as ${aeTitle || "nobody"}, ${said}`;
}

const linesOf = (tenant: TenantView, home: string) => [
  tenantLine(tenant),
  ...(tenant.problem?.remedy === undefined ? [] : [`  ${tenant.problem.remedy}`]),
  `  ${tenant.home}, ${tenant.token} in the log`,
  ...(tenant.setupLink === undefined
    ? []
    : ["  whoever opens this one-use link first is its administrator:", `    ${tenant.setupLink}`]),
  ...(tenant.state === "at-rest" ? [`  next: leadglass start --home ${home}, then leadglass tenant list`] : []),
];

export const tenantAdd: Command = {
  words: "tenant add",
  takes: "NAME --host HOST[,HOST…] [--ae TITLE]",
  does: "another customer on this installation: a home of its own with its own keys, people, index and log, at its own host name",
  options: {
    host: "HOST  its pages are asked for by this name; without it a home that was restored or put back is taken into service",
    ae: "TITLE  its machines call this AE title (else NAME in capitals)",
  },
  run(context) {
    const { host, ae } = context.options;
    const request: TenantRequest = {
      name: nameOf(context),
      ...(host !== undefined && { hosts: host.split(",").map((each) => each.trim()) }),
      ...(ae !== undefined && { aeTitle: ae }),
    };
    return withServer(context, async (call) => {
      const made = await call.json<TenantView>("POST", "/api/tenants", request);
      const lines = [...linesOf(made, context.home), `  every command takes --tenant ${made.name} now`];
      context.print(lines.join("\n"), made);
    });
  },
};

export const tenantList: Command = {
  words: "tenant list",
  takes: "",
  does: "the customers beside the main home, their hosts and AE titles, and which are out of service",
  run: (context) =>
    withServer(context, async (call) => {
      const tenants = await call.json<TenantView[]>("GET", "/api/tenants");
      const lines = tenants.flatMap((tenant) => linesOf(tenant, context.home));
      context.print(lines.join("\n") || "the main home alone: leadglass tenant add NAME --host HOST", tenants);
    }),
};

export const tenantRemove: Command = {
  words: "tenant remove",
  takes: "NAME",
  does: "take a customer out of service; its home is moved aside, nothing is deleted",
  run: (context) =>
    withServer(context, async (call) => {
      const removed = await call.json<RemovedTenantView>(
        "DELETE",
        `/api/tenants/${encodeURIComponent(nameOf(context))}`,
      );
      const { name, movedTo } = removed;
      const lines = [
        `${name} is out of service; its home is ${movedTo}`,
        `  to have it back: move it to ${context.home}/tenants/${name}, then leadglass tenant add ${name}`,
        "  to delete it for good: remove that folder, its backups and what its leadglass.json names elsewhere (objects, databases,",
        "  passphrase file); without keys/ and the root key nobody reads any copy that is left",
      ];
      context.print(lines.join("\n"), removed);
    }),
};
