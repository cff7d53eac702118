import type { QueryClient } from "@tanstack/react-query";
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { ConfirmationsPage } from "./pages/confirmations-page.tsx";
import { DevicesPage } from "./pages/devices-page.tsx";
import { LogPage } from "./pages/log-page.tsx";
import { NotFoundPage } from "./pages/not-found-page.tsx";
import { StatusPage } from "./pages/status-page.tsx";
import { StudiesPage } from "./pages/studies-page.tsx";
import { studyView } from "./pages/study-view.ts";
import { RootPage } from "./shell/root-page.tsx";

export interface PagesOptions {
  readonly queries: QueryClient;
  readonly setupSecret: string | undefined;
}

/** Every page and its address. An address never holds an identifying value: a study is its token, a search is not kept. */
export function createPages(options: PagesOptions) {
  const root = createRootRoute({
    component: () => <RootPage setupSecret={options.setupSecret} />,
    notFoundComponent: NotFoundPage,
  });
  const studies = createRoute({
    getParentRoute: () => root,
    path: "/",
    component: StudiesPage,
    validateSearch: studyView,
  });
  const viewer = createRoute({
    getParentRoute: () => root,
    path: "/studies/$token",
    component: lazyRouteComponent(() => import("./viewer/viewer-page.tsx"), "ViewerPage"),
  });
  const devices = createRoute({ getParentRoute: () => root, path: "/devices", component: DevicesPage });
  const confirmations = createRoute({
    getParentRoute: () => root,
    path: "/confirmations",
    component: ConfirmationsPage,
  });
  const log = createRoute({ getParentRoute: () => root, path: "/log", component: LogPage });
  const status = createRoute({ getParentRoute: () => root, path: "/status", component: StatusPage });
  return createRouter({
    routeTree: root.addChildren([studies, viewer, devices, confirmations, log, status]),
    // A resting pointer on a study loads the viewer's code, not the study.
    defaultPreload: "intent",
    scrollRestoration: false,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createPages>;
  }
}
