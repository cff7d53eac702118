/**
 * What may reach the places of the page where text becomes markup or a script (Trusted Types): style sheets, which hold no markup, and
 * workers from our own server. Everything else throws. Imported first, for its effect.
 */
interface Policies {
  createPolicy(name: "default", rules: Record<"createHTML" | "createScriptURL", (text: string) => string | null>): void;
}

const ours = (url: string) => new URL(url, window.location.href).origin === window.location.origin;

(window as { trustedTypes?: Policies }).trustedTypes?.createPolicy("default", {
  createHTML: (text) => (text.includes("<") ? null : text),
  createScriptURL: (url) => (ours(url) ? url : null),
});
