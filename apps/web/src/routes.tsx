import type { QueryClient } from "@tanstack/react-query";
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { AccountPage } from "./pages/account-page.tsx";
import { AppCodePage } from "./pages/app-code-page.tsx";
import { BrokenPage } from "./pages/broken-page.tsx";
import { ConfirmationsPage } from "./pages/confirmations-page.tsx";
import { ConsentPage } from "./pages/consent-page.tsx";
import { DevicesPage } from "./pages/devices-page.tsx";
import { EdgesPage } from "./pages/edges/edges-page.tsx";
import { LogPage } from "./pages/log/log-page.tsx";
import { logView } from "./pages/log/log-view.ts";
import { LooksPage } from "./pages/log/looks-page.tsx";
import { SeenPage } from "./pages/log/seen-page.tsx";
import { seenView } from "./pages/log/seen-view.ts";
import { MessagesPage } from "./pages/messages/messages-page.tsx";
import { messagesView } from "./pages/messages/messages-view.ts";
import { MigrationsPage } from "./pages/migrations/migrations-page.tsx";
import { NotFoundPage } from "./pages/not-found-page.tsx";
import { grantsFilter, peopleFilter } from "./pages/people/access-views.ts";
import { GrantsPage } from "./pages/people/grants-page.tsx";
import { PeoplePage } from "./pages/people/people-page.tsx";
import { PersonPage } from "./pages/people/person-page.tsx";
import { ProgramsPage } from "./pages/people/programs-page.tsx";
import { RolesPage } from "./pages/people/roles-page.tsx";
import { ReviewsPage } from "./pages/reviews/reviews-page.tsx";
import { reviewsView } from "./pages/reviews/reviews-view.ts";
import { RoutingPage } from "./pages/routing/routing-page.tsx";
import { SharesPage } from "./pages/shares/shares-page.tsx";
import { sharesView } from "./pages/shares/shares-view.ts";
import { StatusPage } from "./pages/status-page.tsx";
import { StudiesPage } from "./pages/studies-page.tsx";
import { studyView } from "./pages/study-view.ts";
import { RootPage } from "./shell/root-page.tsx";

export interface PagesOptions {
  readonly queries: QueryClient;
  readonly setupSecret: string | undefined;
  readonly shareSecret: string | undefined;
}

/** Every page and its address. An address never holds an identifying value: a study is its token, a search is not kept. */
export function createPages(options: PagesOptions) {
  const root = rootPage(options);
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
  const status = createRoute({ getParentRoute: () => root, path: "/status", component: StatusPage });
  const consent = createRoute({ getParentRoute: () => root, path: "/consent/$uid", component: ConsentPage });
  const appCode = createRoute({ getParentRoute: () => root, path: "/oauth/device", component: AppCodePage });
  const account = createRoute({ getParentRoute: () => root, path: "/account", component: AccountPage });
  const access = accessPages(root);
  const oversight = oversightPages(root);
  return createRouter({
    routeTree: root.addChildren([
      ...access,
      ...oversight,
      studies,
      viewer,
      devices,
      confirmations,
      status,
      consent,
      appCode,
      account,
    ]),
    // A resting pointer on a study loads the viewer's code, not the study.
    defaultPreload: "intent",
    defaultErrorComponent: BrokenPage,
    scrollRestoration: false,
  });
}

const rootPage = ({ setupSecret, shareSecret }: PagesOptions) =>
  createRootRoute({
    component: () => <RootPage setupSecret={setupSecret} shareSecret={shareSecret} />,
    notFoundComponent: NotFoundPage,
  });

/** Who may do what. */
function accessPages(root: ReturnType<typeof rootPage>) {
  const getParentRoute = () => root;
  return [
    createRoute({ getParentRoute, path: "/people", component: PeoplePage, validateSearch: peopleFilter }),
    createRoute({ getParentRoute, path: "/people/$id", component: PersonPage }),
    createRoute({ getParentRoute, path: "/grants", component: GrantsPage, validateSearch: grantsFilter }),
    createRoute({ getParentRoute, path: "/roles", component: RolesPage, validateSearch: peopleFilter }),
    createRoute({ getParentRoute, path: "/programs", component: ProgramsPage }),
    createRoute({ getParentRoute, path: "/edges", component: EdgesPage }),
    createRoute({
      getParentRoute,
      path: "/edges/$id",
      component: lazyRouteComponent(() => import("./pages/health/edge-page.tsx"), "EdgePage"),
    }),
    createRoute({
      getParentRoute,
      path: "/this-box",
      component: lazyRouteComponent(() => import("./pages/health/this-box-page.tsx"), "ThisBoxPage"),
    }),
    createRoute({ getParentRoute, path: "/migrations", component: MigrationsPage }),
    createRoute({ getParentRoute, path: "/messages", component: MessagesPage, validateSearch: messagesView }),
    createRoute({ getParentRoute, path: "/routing", component: RoutingPage }),
  ] as const;
}

/** Who did what, and who judges it. */
function oversightPages(root: ReturnType<typeof rootPage>) {
  const getParentRoute = () => root;
  return [
    createRoute({ getParentRoute, path: "/log", component: LogPage, validateSearch: logView }),
    createRoute({ getParentRoute, path: "/reviews", component: ReviewsPage, validateSearch: reviewsView }),
    createRoute({ getParentRoute, path: "/shares", component: SharesPage, validateSearch: sharesView }),
    createRoute({ getParentRoute, path: "/looks/$token", component: LooksPage }),
    createRoute({ getParentRoute, path: "/my-images", component: SeenPage, validateSearch: seenView }),
  ] as const;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createPages>;
  }
}
