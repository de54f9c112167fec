/** What each experiment takes on the disk, measured when asked. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { bytesOf, storageQuery } from "../../api/storage";
import { Link } from "../../ui/Link";
import { ErrorMessage, Loading } from "../../ui/Message";
import { formatBytes } from "../artifacts/file-kind";

export function StorageTable() {
  const [isAsked, setIsAsked] = useState(false);
  const { data, error, isFetching, refetch } = useQuery({ ...storageQuery, enabled: isAsked });
  if (error !== null) return <ErrorMessage title="The storage could not be measured" error={error} onRetry={() => void refetch()} />;
  if (isFetching && data === undefined) return <Loading label="Measuring" />;
  if (data === undefined) {
    return (
      <button type="button" className="button" onClick={() => setIsAsked(true)}>
        Measure storage by experiment
      </button>
    );
  }
  return (
    <>
      <h3>Storage by experiment</h3>
      <p className="settings-note">
        Points as they are kept, and artifacts, a content that several share counted once; without indexes and what is being
        tidied up. Archived runs count.
      </p>
      <div className="plain-table-frame">
        <table className="plain-table storage-table">
          <thead>
            <tr>
              <th scope="col">Experiment</th>
              <th scope="col">Runs</th>
              <th scope="col">Points</th>
              <th scope="col">Their bytes</th>
              <th scope="col">Files</th>
              <th scope="col">Their bytes</th>
              <th scope="col">In all</th>
            </tr>
          </thead>
          <tbody>
            {data.experiments.map((one) => (
              <tr key={one.experiment_id}>
                <th scope="row">
                  <Link className="link" to={`/e/${one.experiment_id}`}>
                    {one.name}
                  </Link>
                  {one.isArchived && " (archived)"}
                </th>
                <td>{count(one.runs)}</td>
                <td>{count(one.points)}</td>
                <td>{formatBytes(one.points_bytes)}</td>
                <td>{count(one.artifacts)}</td>
                <td>{formatBytes(one.artifact_bytes)}</td>
                <td>{formatBytes(bytesOf(one))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {data.experiments.length < data.total && (
        <p className="settings-note">
          {data.experiments.length} of {count(data.total)} experiments, the newest.
        </p>
      )}
    </>
  );
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
