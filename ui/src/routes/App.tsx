/** The addresses of the app, and what all pages share: tenant, key, cache of answers. */
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { Route, Router, Switch, useSearch } from "wouter";
import { ApiError, setCaller } from "../api/client";
import { usePreferences } from "../lib/preferences";
import { useSession } from "../lib/session";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import { Loading } from "../ui/Message";
import { tenantOf } from "../ui/tenant";
import { Toasts } from "../ui/Toasts";
import { tabOf } from "../features/experiment/tabs";
import { runTabOf } from "../features/run/tabs";
import { NotFoundPage } from "./NotFoundPage";

const HomePage = lazy(async () => ({ default: (await import("../features/home/HomePage")).HomePage }));
const ExperimentPage = lazy(async () => ({ default: (await import("../features/experiment/ExperimentPage")).ExperimentPage }));
const RunPage = lazy(async () => ({ default: (await import("../features/run/RunPage")).RunPage }));
const ModelsPage = lazy(async () => ({ default: (await import("../features/models/ModelsPage")).ModelsPage }));
const ModelPage = lazy(async () => ({ default: (await import("../features/models/ModelPage")).ModelPage }));
const SettingsPage = lazy(async () => ({ default: (await import("../features/settings/SettingsPage")).SettingsPage }));
const SignIn = lazy(async () => ({ default: (await import("../features/shell/SignIn")).SignIn }));
const SignedInPage = lazy(async () => ({ default: (await import("./SignedInPage")).SignedInPage }));

/** The path prefix that the server wrote into <base>. */
const PREFIX = new URL(document.baseURI).pathname.replace(/\/$/, "");
const RETRIES = 2;

export function App() {
  return (
    <Router base={PREFIX}>
      <Tenant />
    </Router>
  );
}

function Tenant() {
  const tenant = tenantOf(useSearch());
  const { apiKey } = usePreferences();
  const secret = useSession() ?? apiKey;
  const [wantsKey, setWantsKey] = useState(false);
  const client = useMemo(() => {
    // Before any page below asks for anything; another tenant or key starts with nothing of the former's answers.
    setCaller({ tenant, key: secret === "" ? null : secret });
    return makeClient(() => setWantsKey(true));
  }, [tenant, secret]);
  return (
    <QueryClientProvider client={client}>
      <ErrorBoundary key={tenant ?? ""}>
        <Suspense fallback={<Loading />}>
          <Pages key={`${tenant ?? ""} ${secret}`} />
        </Suspense>
      </ErrorBoundary>
      <Toasts />
      <Suspense fallback={null}>{wantsKey && <SignIn onClose={() => setWantsKey(false)} />}</Suspense>
    </QueryClientProvider>
  );
}

function Pages() {
  return (
    <Switch>
      <Route path="/">
        <HomePage />
      </Route>
      <Route path="/e/:id/:tab?">{({ id, tab }) => <ExperimentPage key={id} id={id} tab={tabOf(tab)} />}</Route>
      <Route path="/r/:id/:tab?">{({ id, tab }) => <RunPage key={id} id={id} tab={runTabOf(tab)} />}</Route>
      <Route path="/models">
        <ModelsPage />
      </Route>
      <Route path="/models/:name">{({ name }) => <ModelPage key={name} name={decoded(name)} />}</Route>
      <Route path="/settings">
        <SettingsPage />
      </Route>
      <Route path="/signed-in">
        <SignedInPage />
      </Route>
      <Route>
        <NotFoundPage />
      </Route>
    </Switch>
  );
}

/** The router gives a part of the path as it stands there; one that is no code of a text is the text itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function makeClient(onUnauthenticated: () => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof ApiError && error.status === 401) onUnauthenticated();
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 1_000,
        refetchOnWindowFocus: true,
        // What the server refused it will refuse again; only a lost link is worth another try.
        retry: (count, error) => !(error instanceof ApiError && error.status < 500) && count < RETRIES,
      },
    },
  });
}
