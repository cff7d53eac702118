import type { QueryClient } from "@tanstack/react-query";
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { AccountPage } from "./pages/account-page.tsx";
import { AppCodePage } from "./pages/app-code-page.tsx";
import { ConfirmationsPage } from "./pages/confirmations-page.tsx";
import { ConsentPage } from "./pages/consent-page.tsx";
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
  const consent = createRoute({ getParentRoute: () => root, path: "/consent/$uid", component: ConsentPage });
  const appCode = createRoute({ getParentRoute: () => root, path: "/oauth/device", component: AppCodePage });
  const account = createRoute({ getParentRoute: () => root, path: "/account", component: AccountPage });
  return createRouter({
    routeTree: root.addChildren([studies, viewer, devices, confirmations, log, status, consent, appCode, account]),
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
