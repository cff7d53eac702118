import { createHash } from "node:crypto";

/** The few pages that the provider answers by itself: what went wrong, and leaving. All else is in the browser application. */
const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem;color:#1a1f26;background:#fff}" +
  "h1{font-size:1.4rem}button{font:inherit;padding:.5rem 1rem;margin:.5rem .5rem 0 0;border-radius:.4rem;border:1px solid #5b6672;" +
  "background:#fff;color:inherit;min-height:44px}button[autofocus]{background:#0b5cad;border-color:#0b5cad;color:#fff}" +
  "@media(prefers-color-scheme:dark){body,button{background:#14181d;color:#e8ecf0}}";

/** `script-src` is there for the provider to add the digest of its one script to. A form may lead on to a client's own address. */
export const oauthPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'sha256-${createHash("sha256").update(style, "utf8").digest("base64")}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

export const escaped = (text: string) => text.replace(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`);

/** `content` is HTML. */
export function plainPage(title: string, content: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)} · Leadglass</title><style>${style}</style></head><body><main><h1>${escaped(title)}</h1>${content}</main></body></html>`;
}
