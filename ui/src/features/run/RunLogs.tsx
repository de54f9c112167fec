/** The console output of a run, of each of its ranks, and whatever else it logged as a `.log` beside it. */
import { useQuery } from "@tanstack/react-query";
import { artifactsQuery, type ArtifactInfo } from "../../api/artifacts";
import type { Run } from "../../api/runs";
import { ErrorMessage, Loading, Message } from "../../ui/Message";
import { Segmented } from "../../ui/Segmented";
import { LogView } from "../logs/LogView";
import { naturalOrder } from "../../lib/intl";

interface Props {
  readonly run: Run;
  readonly path: string | null;
  readonly onOpen: (path: string) => void;
}

const REFRESH_MS = 3_000;

export function RunLogs({ run, path, onOpen }: Props) {
  const listing = useQuery({ ...artifactsQuery(run.id, ""), refetchInterval: run.status === "running" ? REFRESH_MS : false });
  if (listing.error !== null) {
    return <ErrorMessage title="The logs could not be read" error={listing.error} onRetry={() => void listing.refetch()} />;
  }
  if (listing.data === undefined) return <Loading label="Reading the logs" />;
  const logs = logsOf(listing.data.artifacts);
  const chosen = logs.find((one) => one.path === path) ?? logs[0];
  if (chosen === undefined) {
    return (
      <Message title="No log lines">
        A run that was begun with gnomon.init keeps what its program prints as the artifact console.log. Any artifact whose name ends in .log is shown here
        as well.
      </Message>
    );
  }
  return (
    <div className="run-logs">
      {logs.length > 1 && (
        <Segmented label="Log" value={chosen.path} choices={logs.map((one) => ({ value: one.path, label: one.path }))} onChange={onOpen} />
      )}
      <LogView key={chosen.path} runId={run.id} info={chosen} />
    </div>
  );
}

/** The console first, then its ranks in order. */
function logsOf(artifacts: readonly ArtifactInfo[]): ArtifactInfo[] {
  return artifacts.filter((one) => !one.is_dir && one.path.endsWith(".log")).sort((a, b) => naturalOrder(a.path, b.path));
}
