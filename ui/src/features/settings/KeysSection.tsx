/** The API keys that one manages: make, replace, revoke. A new key is shown once, until the page moves on. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { createKey, keysQuery, revokeKey, ROLES, rotateKey, type Key, type Role } from "../../api/access";
import type { KeyMinted } from "../../api/generated";
import { useNow } from "../../lib/now";
import { age, fullTime } from "../../lib/time";
import { Dialog } from "../../ui/Dialog";
import { ErrorMessage, Loading } from "../../ui/Message";
import { TableHead } from "../../ui/TableHead";
import { MintedSecret } from "./MintedSecret";

interface Props {
  readonly isPlatform: boolean;
  /** The key of this page itself: it is not revoked by a slip. */
  readonly ownId: string | null;
}

export function KeysSection({ isPlatform, ownId }: Props) {
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(keysQuery);
  const [minted, setMinted] = useState<KeyMinted | null>(null);
  const [leaving, setLeaving] = useState<Key | null>(null);
  const settled = { onSettled: () => queries.invalidateQueries({ queryKey: ["access"] }) };
  const create = useMutation({ mutationFn: createKey, onSuccess: setMinted, ...settled });
  const rotate = useMutation({ mutationFn: rotateKey, onSuccess: setMinted, ...settled });
  const revoke = useMutation({ mutationFn: revokeKey, ...settled });
  const failed = create.error ?? rotate.error ?? revoke.error;
  return (
    <section>
      <h2>API keys</h2>
      <NewKey isPlatform={isPlatform} isBusy={create.isPending} onCreate={create.mutate} />
      {minted !== null && (
        <MintedSecret label="Copy the key" secret={minted.secret} onDone={() => setMinted(null)}>
          The key of <b>{minted.key.name}</b>. Keep it now: it is shown this once and kept nowhere.
        </MintedSecret>
      )}
      {failed !== null && <ErrorMessage title="That did not work" error={failed} />}
      {error !== null && <ErrorMessage title="The keys could not be read" error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && (
        <KeyTable keys={data.keys} ownId={ownId} onRotate={(key) => rotate.mutate(key.id)} onRevoke={setLeaving} />
      )}
      {leaving !== null && (
        <Dialog label={`Revoke ${leaving.name}?`} onClose={() => setLeaving(null)}>
          <p>Within a second nothing that uses this key is let in. It cannot be taken back; a new key can be made.</p>
          <div className="message-actions">
            <button
              type="button"
              className="button is-primary"
              onClick={() => {
                revoke.mutate(leaving.id);
                setLeaving(null);
              }}
            >
              Revoke
            </button>
            <button type="button" className="button" onClick={() => setLeaving(null)}>
              Keep it
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

interface NewKeyProps {
  readonly isPlatform: boolean;
  readonly isBusy: boolean;
  readonly onCreate: (body: { role: Role; name: string | null; tenants: string[] }) => void;
}

function NewKey({ isPlatform, isBusy, onCreate }: NewKeyProps) {
  const [role, setRole] = useState<Role>("editor");
  const [name, setName] = useState("");
  const [tenants, setTenants] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const named = tenants.split(/[\s,]+/).filter((tenant) => tenant !== "");
    onCreate({ role, name: name.trim() === "" ? null : name.trim(), tenants: named });
    setName("");
  };
  return (
    <form className="new-key" onSubmit={submit}>
      <input className="field" placeholder="Who holds it" aria-label="Who holds the key" value={name} onChange={(event) => setName(event.target.value)} />
      <select className="field" aria-label="Role" value={role} onChange={(event) => setRole(ROLES.find((each) => each === event.target.value) ?? "viewer")}>
        {ROLES.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
      {isPlatform && (
        <input className="field" placeholder="Tenants, with commas" aria-label="Tenants" value={tenants} onChange={(event) => setTenants(event.target.value)} />
      )}
      <button type="submit" className="button" disabled={isBusy}>
        Make a key
      </button>
    </form>
  );
}

interface TableProps {
  readonly keys: readonly Key[];
  readonly ownId: string | null;
  readonly onRotate: (key: Key) => void;
  readonly onRevoke: (key: Key) => void;
}

function KeyTable({ keys, ownId, onRotate, onRevoke }: TableProps) {
  const now = useNow();
  return (
    <div className="plain-table-frame">
      <table className="plain-table">
        <TableHead columns={["Who", "Id", "Role", "Tenants", "Used", "State"]} hasActions />
        <tbody>
          {keys.map((key) => (
            <tr key={key.id} className={isEnded(key, now) ? "is-ended" : undefined}>
              <td className="break">{key.name}</td>
              <td className="mono">{key.id}</td>
              <td>{key.role}</td>
              <td className="break">{key.tenants.join(", ")}</td>
              <td>{key.last_used_at === null ? "never" : `${age(Date.parse(key.last_used_at), now)}`}</td>
              <td>{stateOf(key, now)}</td>
              <td className="key-actions">
                {!isEnded(key, now) && (
                  <>
                    <button type="button" className="button" aria-label={`Replace ${key.name}`} onClick={() => onRotate(key)}>
                      Replace
                    </button>
                    <button
                      type="button"
                      className="button"
                      aria-label={`Revoke ${key.name}`}
                      disabled={key.id === ownId}
                      title={key.id === ownId ? "This page uses it" : undefined}
                      onClick={() => onRevoke(key)}
                    >
                      Revoke
                    </button>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function isEnded(key: Key, now: number): boolean {
  return key.revoked_at !== null || (key.expires_at !== null && Date.parse(key.expires_at) <= now);
}

function stateOf(key: Key, now: number): string {
  if (key.revoked_at !== null) return "revoked";
  if (key.expires_at === null) return "live";
  return isEnded(key, now) ? "expired" : `until ${fullTime(Date.parse(key.expires_at))}`;
}
