/** What a tenant keeps of what it may keep; for a platform key, of every tenant. */
import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../../api/access";
import type { QuotaUse, TenantQuotas } from "../../api/generated";
import { quotasQuery } from "../../api/quotas";
import { ErrorMessage, Loading } from "../../ui/Message";
import { formatBytes } from "../artifacts/file-kind";

const LABELS: Record<QuotaUse["quota"], string> = {
  experiments: "Experiments",
  runs: "Runs",
  series: "Metric series",
  points: "Points",
  artifact_bytes: "Artifacts",
};
/** From here on a bar warns. */
const NEARLY = 0.9;

export function QuotaSection() {
  const { data: me } = useQuery(meQuery);
  const isPlaced = me !== undefined && (me.tenant !== null || me.role === "platform");
  const may = isPlaced && me.permissions.includes("quotas.read");
  const { data, error, refetch } = useQuery({ ...quotasQuery, enabled: may });
  if (!may) return null;
  return (
    <section aria-labelledby="quotas">
      <h2 id="quotas">Quotas</h2>
      <p className="settings-note">
        What is kept, archived runs included, and the most that may be. Removing runs for good and deleting artifacts gives room
        back. {me.role === "platform" ? <SetHint /> : "Whoever runs the server sets the limits."}
      </p>
      {error !== null && <ErrorMessage title="The quotas could not be read" error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <div className="quotas-awaited"><Loading /></div>}
      {data?.tenants.length === 0 && <p className="settings-note">There is no tenant yet; the first key for one makes it.</p>}
      {data?.tenants.map((each) => <Quotas key={each.tenant} of={each} isNamed={data.tenants.length > 1 || me.role === "platform"} />)}
      {data !== undefined && data.total > data.tenants.length && (
        <p className="settings-note">
          The first {data.tenants.length} of {data.total} tenants; <code>gnomon quotas list</code> shows all.
        </p>
      )}
    </section>
  );
}

function SetHint() {
  return (
    <>
      They are set by <code>gnomon quotas set</code> or the API.
    </>
  );
}

function Quotas({ of, isNamed }: { readonly of: TenantQuotas; readonly isNamed: boolean }) {
  const isFree = of.quotas.every((each) => each.limit === null);
  return (
    <>
      {isNamed && <h3>{of.tenant}</h3>}
      <dl className="quotas">
        {of.quotas.map((each) => (
          <Quota key={each.quota} of={each} />
        ))}
      </dl>
      {isFree && <p className="settings-note">No limit is set: as much is kept as there is room for.</p>}
    </>
  );
}

function Quota({ of: { quota, used, limit } }: { readonly of: QuotaUse }) {
  const said = (amount: number): string => (quota === "artifact_bytes" ? formatBytes(amount) : amount.toLocaleString("en-US"));
  const share = limit === null ? 0 : limit === 0 ? 1 : Math.min(1, used / limit);
  const isFull = limit !== null && used >= limit;
  const state = isFull ? "is-full" : share >= NEARLY ? "is-nearly" : undefined;
  return (
    <div className={state}>
      <dt>{LABELS[quota]}</dt>
      <dd>
        {limit !== null && (
          <span
            className="quota-bar"
            role="meter"
            aria-label={LABELS[quota]}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(share * 100)}
          >
            <i style={{ "--share": share }} />
          </span>
        )}
        <span className="quota-use">
          {said(used)}
          {limit !== null && ` of ${said(limit)}`}
          {isFull && " · full"}
        </span>
      </dd>
    </div>
  );
}
