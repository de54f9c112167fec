/** Nothing yet: the first run in three lines, with this server's address, in the words of three clients. */
import { useState } from "react";
import type { Experiment } from "../../api/experiments";
import { CopyButton } from "../../ui/CopyButton";
import { Segmented } from "../../ui/Segmented";
import { useTenant } from "../../ui/tenant";
import { Dial } from "./Dial";
import { snippet, type Client } from "./snippets";

const CLIENTS: readonly { readonly value: Client; readonly label: string }[] = [
  { value: "python", label: "Python" },
  { value: "mlflow", label: "MLflow" },
  { value: "curl", label: "curl" },
];

export function FirstRun({ experiment }: { readonly experiment?: Experiment | undefined }) {
  const [client, setClient] = useState<Client>("python");
  const tenant = useTenant();
  const server = document.baseURI.replace(/\/$/, "");
  const text = snippet(client, { server, tenant, experiment: experiment ?? null });
  return (
    <main className="first-run">
      <div>
        <Dial />
        <h1>No runs here yet</h1>
        <p>Log one from your training script. It shows up on this page as soon as it is created.</p>
        <Segmented label="Client" value={client} choices={CLIENTS} onChange={setClient} />
        <div className="snippet">
          <pre tabIndex={0} aria-label={`First run with ${client}`}>
            {text}
          </pre>
          <CopyButton label="Copy these lines" text={() => text}>
            Copy
          </CopyButton>
        </div>
        <p className="first-more">
          To have something bigger to look at: <code>gnomon demo</code>
        </p>
      </div>
    </main>
  );
}
