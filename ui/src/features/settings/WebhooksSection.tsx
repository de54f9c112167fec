/** Whom the server tells what happens: made, changed, tried and removed, with the log of what was sent. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { automationKeys, createWebhook, deleteWebhook, deliveriesQuery, patchWebhook, testWebhook, webhooksQuery, type Webhook } from "../../api/automation";
import type { WebhookCreate, WebhookMinted } from "../../api/generated";
import { fullTime } from "../../lib/time";
import { Dialog } from "../../ui/Dialog";
import { ErrorMessage, Loading } from "../../ui/Message";
import { MintedSecret } from "./MintedSecret";
import { WebhookForm } from "./WebhookForm";

const FORMATS: Readonly<Record<Webhook["format"], string>> = { json: "", slack: " · for Slack", mlflow: " · in MLflow's form" };

export function WebhooksSection() {
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(webhooksQuery);
  const [edited, setEdited] = useState<Webhook | "new" | null>(null);
  const [minted, setMinted] = useState<WebhookMinted | null>(null);
  const [leaving, setLeaving] = useState<Webhook | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  const settled = { onSettled: () => queries.invalidateQueries({ queryKey: ["automation"] }) };
  const save = useMutation({
    mutationFn: async ({ id, body }: { id: string | null; body: WebhookCreate }) => {
      if (id === null) return createWebhook(body);
      await patchWebhook(id, { name: body.name, url: body.url, events: body.events, format: body.format ?? "json" });
      return null;
    },
    onSuccess: (made) => {
      setMinted(made);
      setEdited(null);
    },
    ...settled,
  });
  const pause = useMutation({ mutationFn: (hook: Webhook) => patchWebhook(hook.id, { active: !hook.active }), ...settled });
  const remove = useMutation({ mutationFn: (hook: Webhook) => deleteWebhook(hook.id), ...settled });
  const test = useMutation({
    mutationFn: (hook: Webhook) => testWebhook(hook.id),
    onSuccess: (delivery) => {
      setOpen(delivery.webhook_id);
      return queries.invalidateQueries({ queryKey: automationKeys.deliveries(delivery.webhook_id) });
    },
  });
  const failed = pause.error ?? remove.error ?? test.error;
  return (
    <section aria-labelledby="automation-webhooks">
      <h2 id="automation-webhooks">Webhooks</h2>
      <p className="settings-note">What happens is sent to these addresses: signed, at least once, retried for three days.</p>
      {error !== null && <ErrorMessage title="The webhooks could not be read" error={error} onRetry={() => void refetch()} />}
      {failed !== null && <ErrorMessage title="That did not work" error={failed} />}
      {data === undefined && error === null && <Loading />}
      {data?.webhooks.length === 0 && <p className="settings-note">No webhooks yet.</p>}
      {minted !== null && (
        <MintedSecret label="Copy the secret" secret={minted.secret} onDone={() => setMinted(null)}>
          The secret of <b>{minted.webhook.name}</b>, with which messages are signed. Keep it now: it is shown this once.
        </MintedSecret>
      )}
      {data !== undefined && data.webhooks.length > 0 && (
        <ul className="automation-list">
          {data.webhooks.map((hook) => (
            <li key={hook.id} className={hook.active ? undefined : "is-ended"}>
              <div className="automation-what">
                <b>{hook.name}</b>
                <span className="break">{hook.url}</span>
                <small>
                  {hook.events.join(", ")}
                  {FORMATS[hook.format]}
                  {hook.active ? "" : " · paused"}
                </small>
              </div>
              <div className="automation-actions">
                <button type="button" className="button" aria-label={`Test ${hook.name}`} disabled={!hook.active} onClick={() => test.mutate(hook)}>
                  Test
                </button>
                <button
                  type="button"
                  className="button"
                  aria-label={`Log of ${hook.name}`}
                  aria-expanded={open === hook.id}
                  onClick={() => setOpen(open === hook.id ? null : hook.id)}
                >
                  Log
                </button>
                {hook.format !== "mlflow" && (
                  <button type="button" className="button" aria-label={`Edit ${hook.name}`} onClick={() => setEdited(hook)}>
                    Edit
                  </button>
                )}
                <button type="button" className="button" aria-label={`${hook.active ? "Pause" : "Resume"} ${hook.name}`} onClick={() => pause.mutate(hook)}>
                  {hook.active ? "Pause" : "Resume"}
                </button>
                <button type="button" className="button" aria-label={`Delete ${hook.name}`} onClick={() => setLeaving(hook)}>
                  Delete
                </button>
              </div>
              {open === hook.id && <Log hook={hook} />}
            </li>
          ))}
        </ul>
      )}
      {edited === null ? (
        <button type="button" className="button" onClick={() => setEdited("new")}>
          New webhook
        </button>
      ) : (
        <WebhookForm
          key={edited === "new" ? "new" : edited.id}
          hook={edited === "new" ? null : edited}
          isBusy={save.isPending}
          error={save.error}
          onSave={(body) => save.mutate({ id: edited === "new" ? null : edited.id, body })}
          onCancel={() => setEdited(null)}
        />
      )}
      {leaving !== null && (
        <Dialog label={`Delete ${leaving.name}?`} onClose={() => setLeaving(null)}>
          <p>Nothing more is sent there, and the log of what was sent goes with it.</p>
          <div className="message-actions">
            <button
              type="button"
              className="button is-primary"
              onClick={() => {
                setOpen(null); // its log goes with it
                remove.mutate(leaving);
                setLeaving(null);
              }}
            >
              Delete
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

function Log({ hook }: { readonly hook: Webhook }) {
  const { data, error } = useQuery(deliveriesQuery(hook.id));
  if (error !== null) return <ErrorMessage title="The log could not be read" error={error} />;
  if (data === undefined) return <Loading />;
  if (data.deliveries.length === 0) return <p className="settings-note">Nothing was sent yet.</p>;
  return (
    <div className="plain-table-frame automation-log" tabIndex={0} role="region" aria-label={`Deliveries to ${hook.name}`}>
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Event</th>
            <th scope="col">State</th>
            <th scope="col">Tries</th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {data.deliveries.map((each) => (
            <tr key={each.id}>
              <td className="num">{fullTime(Date.parse(each.created_at))}</td>
              <td>{each.event}</td>
              <td>{each.state}</td>
              <td className="num">{each.attempts}</td>
              <td className="break">{each.error ?? (each.status === null ? "" : `answered ${each.status}`)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
