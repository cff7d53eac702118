import "./trusted-types.ts";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./app.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { createQueries } from "./api/queries.ts";
import { takeSecret } from "./first-start/setup-secret.ts";
import { createPages } from "./routes.tsx";
import { styleNonce } from "./style-nonce.ts";

// Mantine's scroll lock makes its one style element with the nonce it finds under this name (package get-nonce).
Reflect.set(globalThis, "__webpack_nonce__", styleNonce());

const queries = createQueries();
const { location, history } = window;
const router = createPages({
  queries,
  setupSecret: takeSecret("setup", location, history),
  shareSecret: takeSecret("share", location, history),
});
// A link that is opened where a page of ours is open already changes the fragment alone.
window.addEventListener("hashchange", () => {
  if (/^#(setup|share)=/.test(location.hash)) location.reload();
});

const place = document.getElementById("root");
if (place !== null) {
  createRoot(place).render(
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
}
