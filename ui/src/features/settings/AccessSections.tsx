/** On a secured server: who one is, and for whoever manages keys the keys and the audit log. */
import { useQuery } from "@tanstack/react-query";
import { auditQuery, meQuery } from "../../api/access";
import { fullTime } from "../../lib/time";
import { ErrorMessage } from "../../ui/Message";
import { leave } from "../shell/use-sign-in";
import { KeysSection } from "./KeysSection";
import { SessionsSection } from "./SessionsSection";

const ENTRIES = 50;

export function AccessSections() {
  const { data: me } = useQuery(meQuery);
  if (me === undefined || me.mode === "open") return null;
  // Who enters several tenants has named none yet; the page is about to.
  const isPlaced = me.tenant !== null || me.role === "platform";
  return (
    <>
      <section>
        <h2>Signed in</h2>
        <dl className="about">
          <dt>{me.session_id === null ? "Key" : "Person"}</dt>
          <dd>
            {me.name} <span className="mono">{me.key_id}</span>
          </dd>
          {me.expires_at !== null && (
            <>
              <dt>Until</dt>
              <dd>{fullTime(Date.parse(me.expires_at))}</dd>
            </>
          )}
          <dt>Role</dt>
          <dd>{me.role}</dd>
          <dt>Tenants</dt>
          <dd>{me.tenants.length === 0 ? "none: this key manages and reads no data" : me.tenants.join(", ")}</dd>
        </dl>
        <button type="button" className="button" onClick={() => void leave()}>
          Sign out
        </button>
      </section>
      {isPlaced && me.permissions.includes("keys.manage") && <KeysSection isPlatform={me.role === "platform"} ownId={me.key_id} />}
      <SessionsSection ownId={me.session_id} />
      {isPlaced && me.permissions.includes("audit.read") && <AuditSection />}
    </>
  );
}

function AuditSection() {
  const { data, error, refetch } = useQuery(auditQuery(ENTRIES));
  return (
    <section>
      <h2>Audit log</h2>
      <p className="settings-note">
        Keys and sessions made and ended, what was archived or removed, and requests turned away. Each entry is chained to the one
        before it; <code>gnomon audit verify</code> checks the chain on the server.
      </p>
      {error !== null && <ErrorMessage title="The log could not be read" error={error} onRetry={() => void refetch()} />}
      {data !== undefined && (
        <div className="plain-table-frame">
          <table className="plain-table">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">On</th>
              </tr>
            </thead>
            <tbody>
              {data.entries.map((entry) => (
                <tr key={entry.id}>
                  <td className="num">{fullTime(Date.parse(entry.time))}</td>
                  <td className="mono">{entry.actor}</td>
                  <td>{entry.action}</td>
                  <td className="mono break">{entry.target}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data !== undefined && data.total > data.entries.length && (
        <p className="settings-note">
          The newest {data.entries.length} of {data.total}; <code>gnomon audit list</code> shows all.
        </p>
      )}
    </section>
  );
}
