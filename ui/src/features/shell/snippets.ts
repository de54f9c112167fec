/** The first run, in the words of each client. */
export type Client = "python" | "mlflow" | "curl";

interface Where {
  readonly server: string;
  readonly tenant: string | null;
  readonly experiment: { readonly id: string; readonly name: string } | null;
}

/** A string literal that Python reads as this text. */
function python(text: string): string {
  return JSON.stringify(text);
}

export function snippet(client: Client, where: Where): string {
  switch (client) {
    case "python":
      return pythonLines(where);
    case "mlflow":
      return mlflowLines(where);
    case "curl":
      return curlLines(where);
  }
}

function pythonLines({ server, tenant, experiment }: Where): string {
  const settings = [python(server), ...(tenant === null ? [] : [`tenant=${python(tenant)}`])].join(", ");
  const id = experiment === null ? `client.experiments.create("first steps").id` : python(experiment.id);
  return [
    "# pip install gnomon-sdk",
    "import gnomon",
    "",
    `client = gnomon.Client(${settings})`,
    `run = client.runs.create(${id})`,
    `client.runs.log_metrics(run.id, {"loss": 0.42}, step=1)`,
  ].join("\n");
}

function mlflowLines({ server, tenant, experiment }: Where): string {
  const name = experiment?.name ?? "first steps";
  return [
    ...(tenant === null ? [] : [`# this page's tenant is ${tenant}: give MLflow a key of that tenant`]),
    "import mlflow",
    "",
    `mlflow.set_tracking_uri(${python(server)})`,
    `mlflow.set_experiment(${python(name)})`,
    `mlflow.log_metric("loss", 0.42, step=1)`,
  ].join("\n");
}

function curlLines({ server, tenant, experiment }: Where): string {
  const headers = `-H 'Content-Type: application/json'${tenant === null ? "" : ` -H 'X-Tenant-ID: ${tenant}'`}`;
  const api = `${server}/api/v1/experiments`;
  const create =
    experiment === null
      ? [`curl ${headers} -d '{"name": "first steps"}' ${api}`, "# with the id it answers:"]
      : [];
  return [
    ...create,
    `curl ${headers} -d '{"experiment_id": "${experiment?.id ?? "EXPERIMENT"}"}' ${api}/runs`,
    "# with the id it answers:",
    `curl ${headers} -d '{"metrics": {"loss": 0.42}, "step": 1}' ${api}/runs/RUN/log-metrics`,
  ].join("\n");
}
