import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Cornerstone's measurement labels set a `style` attribute, which our content security policy refuses; the same text set
 * through the object model is allowed. A build whose pattern no longer matches fails, so that an upgrade cannot hide it.
 */
function styleWithoutAttribute(): Plugin {
  const from = "textElement.setAttribute('style', combinedStyle)";
  let seen = false;
  return {
    name: "style-without-attribute",
    apply: "build",
    transform: {
      filter: { id: /drawingSvg[\\/]drawTextBox\.js$/ },
      handler(code) {
        seen = seen || code.includes(from);
        return { code: code.replace(from, "textElement.style.cssText = combinedStyle"), map: null };
      },
    },
    buildEnd(error) {
      if (error === undefined && !seen)
        this.error("Cornerstone's drawTextBox.js has changed: look at its style attribute");
    },
  };
}

export default defineConfig({
  root: here("."),
  plugins: [react(), styleWithoutAttribute()],
  resolve: {
    alias: [
      { find: /^#formats\/(.*)$/, replacement: here("../../formats/$1/index.ts") },
      { find: /^#imaging\/(.*)$/, replacement: here("../../imaging/$1/index.ts") },
      // Node's names, which the codecs and vtk.js ask for: the packages of the same name, not a stub.
      { find: /^events$/, replacement: "events/" },
      { find: /^url$/, replacement: "url/" },
    ],
  },
  worker: { format: "es" },
  build: {
    outDir: here("./dist"),
    emptyOutDir: true,
    target: "es2022",
    // Everything is a file of its own: a `data:` script or module would need a wider policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The viewer with its rendering library is one lazy file, read while the study list is looked at.
    chunkSizeWarningLimit: 5_000,
  },
});
