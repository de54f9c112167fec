/** The archived runs of an experiment: look at one, bring it back, or delete it for good. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { runsQuery, type Run } from "../../api/runs";
import { Dialog } from "../../ui/Dialog";
import { Link } from "../../ui/Link";
import { ErrorMessage, Loading } from "../../ui/Message";
import { Status } from "../../ui/Status";
import { PurgeDialog } from "./PurgeDialog";
import { useManage } from "./use-manage";
import "./manage.css";

const MOST = 500;

export function ArchivedRuns({ experimentId, onClose }: { readonly experimentId: string; readonly onClose: () => void }) {
  const manage = useManage();
  const [search, setSearch] = useState("");
  const [purged, setPurged] = useState<Run | null>(null);
  const query = useQuery(runsQuery({ experimentId, status: null, search, filter: "", limit: MOST, stage: "deleted" }));
  if (purged !== null) {
    return (
      <PurgeDialog
        what="run"
        name={purged.name}
        loses="its points, params, tags and artifacts"
        onPurge={() => manage.purgeRun(purged)}
        onClose={() => setPurged(null)}
      />
    );
  }
  return (
    <Dialog label="Archived runs" onClose={onClose} className="manage-dialog is-list">
      <input
        className="field"
        type="search"
        placeholder="Search by name"
        aria-label="Search archived runs by name"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {query.error !== null && <ErrorMessage title="The runs could not be read" error={query.error} />}
      {query.isPending && <Loading />}
      {query.data?.total === 0 && <p className="manage-note">{search === "" ? "No run of this experiment is archived." : "None has such a name."}</p>}
      <ul className="manage-list thin-scroll">
        {(query.data?.runs ?? []).map((run) => (
          <li key={run.id}>
            <Link to={`/r/${run.id}`} className="link" onClick={onClose}>
              {run.name}
            </Link>
            <Status status={run.status} />
            <span className="grow" />
            <button type="button" className="button" onClick={() => manage.restoreRun(run)}>
              Restore
            </button>
            <button type="button" className="button" aria-label={`Delete ${run.name} for good`} onClick={() => setPurged(run)}>
              Delete…
            </button>
          </li>
        ))}
      </ul>
      {query.data !== undefined && query.data.total > query.data.runs.length && (
        <p className="manage-note">{query.data.total - query.data.runs.length} more. Search for a part of the name.</p>
      )}
    </Dialog>
  );
}
