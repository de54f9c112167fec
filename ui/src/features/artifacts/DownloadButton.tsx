/** Saves a file. It is fetched by the page, because a plain link could not say the tenant or the key. */
import { useState } from "react";
import { fetchArtifact } from "../../api/artifacts";
import { Icon } from "../../ui/Icon";

export function DownloadButton({ runId, path }: { readonly runId: string; readonly path: string }) {
  const [state, setState] = useState<"rest" | "busy" | string>("rest");
  const save = async (): Promise<void> => {
    setState("busy");
    try {
      const bytes = await fetchArtifact(runId, path, null);
      const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = path.split("/").at(-1) ?? "artifact";
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      setState("rest");
    } catch (error) {
      setState(error instanceof Error ? error.message : String(error));
    }
  };
  const isFailed = state !== "rest" && state !== "busy";
  return (
    <>
      {isFailed && <span role="alert">{state}</span>}
      <button type="button" className="button" disabled={state === "busy"} onClick={() => void save()}>
        <Icon name="download" />
        {state === "busy" ? "Downloading" : "Download"}
      </button>
    </>
  );
}
