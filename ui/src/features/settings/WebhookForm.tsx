/** One webhook, new or to be changed. */
import { useState, type FormEvent } from "react";
import { WEBHOOK_EVENTS, type Webhook, type WebhookEvent } from "../../api/automation";
import type { WebhookCreate } from "../../api/generated";
import { ErrorMessage } from "../../ui/Message";
import { Field } from "./RuleForm";

const USUAL: readonly WebhookEvent[] = ["run.failed", "run.killed", "rule.fired"];

interface Props {
  readonly hook: Webhook | null;
  readonly isBusy: boolean;
  readonly error: Error | null;
  readonly onSave: (body: WebhookCreate) => void;
  readonly onCancel: () => void;
}

export function WebhookForm({ hook, isBusy, error, onSave, onCancel }: Props) {
  const [name, setName] = useState(hook?.name ?? "");
  const [url, setUrl] = useState(hook?.url ?? "");
  const [format, setFormat] = useState(hook?.format ?? "json");
  const [events, setEvents] = useState<readonly WebhookEvent[]>(hook?.events ?? USUAL);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSave({ name, url: url.trim(), events, format });
  };
  return (
    <form className="automation-form" onSubmit={submit} aria-label={hook === null ? "New webhook" : `Edit ${hook.name}`}>
      <Field label="Name">
        {(id) => <input id={id} className="field" required value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="Address">
        {(id) => <input id={id} className="field" required type="url" placeholder="https://hooks.example.com/…" value={url} onChange={(event) => setUrl(event.target.value)} />}
      </Field>
      <Field label="Form">
        {(id) => (
          <select id={id} className="field" value={format} onChange={(event) => setFormat(event.target.value === "slack" ? "slack" : "json")}>
            <option value="json">JSON</option>
            <option value="slack">a message for Slack</option>
          </select>
        )}
      </Field>
      <fieldset className="automation-events">
        <legend>Events</legend>
        {WEBHOOK_EVENTS.map((each) => (
          <label key={each} className="automation-check">
            <input
              type="checkbox"
              checked={events.includes(each)}
              onChange={(event) => setEvents(event.target.checked ? [...events, each] : events.filter((kept) => kept !== each))}
            />{" "}
            {each}
          </label>
        ))}
      </fieldset>
      {error !== null && <ErrorMessage title="The webhook was not saved" error={error} />}
      <div className="message-actions">
        <button type="submit" className="button is-primary" disabled={isBusy || events.length === 0}>
          Save webhook
        </button>
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
