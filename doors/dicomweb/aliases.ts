/**
 * Where clients that were set up for other archives look for the services (dcm4chee's paths by AE title, the bare `/dicomweb` and
 * `/wado`), as the address under `root` that answers there; other addresses stay as they are. No other AE title than ours is one of them.
 */
export function createAliases({ root, aeTitle }: { readonly root: string; readonly aeTitle: string }) {
  const own = `/aets/${encodeURIComponent(aeTitle)}`;
  const aliases = [
    [`${own}/rs`, root],
    [`${own}/wado`, `${root}/wado`],
    ["/dicomweb", root],
    ["/wado", `${root}/wado`],
  ] as const;
  return (url: string): string => {
    for (const [alias, stands] of aliases) {
      if (url.startsWith(alias) && /^([/?]|$)/.test(url.slice(alias.length))) return stands + url.slice(alias.length);
    }
    return url;
  };
}
