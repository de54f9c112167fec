/** The experiments of the tenant, and what is running now. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useDeferredValue, useState } from "react";
import { experimentsQuery } from "../../api/experiments";
import { ErrorMessage, Loading, Message } from "../../ui/Message";
import { SearchField } from "../../ui/SearchField";
import { AppBar } from "../shell/AppBar";
import { useTitle } from "../shell/use-title";
import { HomeTabs } from "../shell/HomeTabs";
import { ExperimentTable } from "./ExperimentTable";
import { RunningNow } from "./RunningNow";
import "./home.css";

const FirstRun = lazy(async () => ({ default: (await import("../shell/FirstRun")).FirstRun }));

const LIMIT = 200;
const REFRESH_MS = 5_000;

export function HomePage() {
  const [text, setText] = useState("");
  const [stage, setStage] = useState<"active" | "deleted">("active");
  const search = useDeferredValue(text.trim());
  useTitle("");
  const query = useQuery({
    ...experimentsQuery({ search, stage, limit: LIMIT }),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
  const found = query.data;
  const names = new Map(found?.experiments.map(({ id, name }) => [id, name]));
  const isPlain = search === "" && stage === "active";
  const isNew = found !== undefined && isPlain && found.experiments.every((one) => one.run_count === 0);
  if (isNew && found.total <= 1) {
    return (
      <div className="page">
        <AppBar />
        <Suspense fallback={<Loading />}><FirstRun experiment={found.experiments[0]} /></Suspense>
      </div>
    );
  }
  return (
    <div className="page">
      <AppBar tabs={<HomeTabs />} />
      <main className="home thin-scroll">
        <div className="home-columns">
          <section aria-labelledby="home-experiments">
            <div className="page-head">
              <h1 id="home-experiments">
                Experiments {found !== undefined && <small>{found.total.toLocaleString("en-US")}</small>}
              </h1>
              <SearchField label="Search experiments by name" text={text} onChange={setText} />
              <button
                type="button"
                className="button"
                aria-pressed={stage === "deleted"}
                onClick={() => setStage(stage === "active" ? "deleted" : "active")}
              >
                Archived
              </button>
            </div>
            {query.error !== null && found === undefined ? (
              <ErrorMessage title="The experiments could not be read" error={query.error} onRetry={() => void query.refetch()} />
            ) : found === undefined ? (
              <Loading label="Reading experiments" />
            ) : found.experiments.length === 0 ? (
              <Message title={search === "" ? "Nothing is archived" : `No experiment is called “${search}”`} />
            ) : (
              <>
                <ExperimentTable experiments={found.experiments} />
                {found.total > found.experiments.length && (
                  <p className="list-more">
                    The {found.experiments.length} newest of {found.total.toLocaleString("en-US")}. Search for a part of the name to
                    find the others.
                  </p>
                )}
              </>
            )}
          </section>
          <RunningNow names={names} />
        </div>
      </main>
    </div>
  );
}
