/** One rule, new or to be changed. Which fields there are is said by its kind. */
import { useQuery } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import { AGGREGATES, COMPARISONS, RULE_KINDS, webhooksQuery, type Rule } from "../../api/automation";
import type { RuleSave } from "../../api/generated";
import { ErrorMessage } from "../../ui/Message";
import { amountOf, KIND_LABELS, tagsOf } from "./rule-text";

interface Props {
  readonly rule: Rule | null;
  readonly maySeeWebhooks: boolean;
  readonly isBusy: boolean;
  readonly error: Error | null;
  readonly onSave: (body: RuleSave) => void;
  readonly onCancel: () => void;
}

export function RuleForm({ rule, maySeeWebhooks, isBusy, error, onSave, onCancel }: Props) {
  const [name, setName] = useState(rule?.name ?? "");
  const [kind, setKind] = useState(rule?.kind ?? "threshold");
  const [metric, setMetric] = useState(rule?.metric ?? "");
  const [aggregate, setAggregate] = useState(rule?.aggregate ?? "last");
  const [comparison, setComparison] = useState(rule?.comparison ?? ">");
  const [value, setValue] = useState(rule === null ? "" : String(rule.value));
  const [direction, setDirection] = useState(rule?.direction ?? "min");
  const [span, setSpan] = useState(String(rule?.steps ?? rule?.minutes ?? ""));
  const [unit, setUnit] = useState<"steps" | "minutes">(rule?.steps == null ? "minutes" : "steps");
  const [filter, setFilter] = useState(rule?.filter ?? "");
  const [tags, setTags] = useState(Object.entries(rule?.tags ?? {}).map(([key, each]) => `${key}=${each}`).join(", "));
  const [webhook, setWebhook] = useState(rule?.webhook_id ?? "");
  const [endsRun, setEndsRun] = useState(rule?.end_run ?? false);
  const hooks = useQuery({ ...webhooksQuery, enabled: maySeeWebhooks });
  const isTimed = kind === "silent" || (kind === "no_progress" && unit === "minutes");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSave({
      name,
      kind,
      metric: metric === "" || kind === "silent" ? null : metric,
      aggregate,
      comparison,
      value: kind === "threshold" ? Number(value) : 0,
      direction,
      steps: kind === "no_progress" && unit === "steps" ? amountOf(span) : null,
      minutes: isTimed ? amountOf(span) : null,
      filter,
      tags: tagsOf(tags),
      webhook_id: webhook === "" ? null : webhook,
      end_run: endsRun,
      active: rule?.active ?? true,
    });
  };
  return (
    <form className="automation-form" onSubmit={submit} aria-label={rule === null ? "New rule" : `Edit ${rule.name}`}>
      <Field label="Name">
        {(id) => <input id={id} className="field" required value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="Fires at">
        {(id) => (
          <select id={id} className="field" value={kind} onChange={(event) => setKind(RULE_KINDS.find((each) => each === event.target.value) ?? "threshold")}>
            {RULE_KINDS.map((each) => (
              <option key={each} value={each}>
                {KIND_LABELS[each]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {kind !== "silent" && (
        <Field label="Metric">
          {(id) => (
            <input
              id={id}
              className="field"
              required={kind !== "nonfinite"}
              placeholder={kind === "nonfinite" ? "any" : "val/loss"}
              value={metric}
              onChange={(event) => setMetric(event.target.value)}
            />
          )}
        </Field>
      )}
      {kind === "threshold" && (
        <Field label="Its">
          {(id) => (
            <span className="automation-row">
              <select id={id} className="field" value={aggregate} onChange={(event) => setAggregate(AGGREGATES.find((each) => each === event.target.value) ?? "last")}>
                {AGGREGATES.map((each) => (
                  <option key={each}>{each}</option>
                ))}
              </select>
              <select className="field" aria-label="Comparison" value={comparison} onChange={(event) => setComparison(COMPARISONS.find((each) => each === event.target.value) ?? ">")}>
                {COMPARISONS.map((each) => (
                  <option key={each}>{each}</option>
                ))}
              </select>
              <input className="field" aria-label="Value" required type="number" step="any" value={value} onChange={(event) => setValue(event.target.value)} />
            </span>
          )}
        </Field>
      )}
      {kind === "no_progress" && (
        <Field label="Better is">
          {(id) => (
            <select id={id} className="field" value={direction} onChange={(event) => setDirection(event.target.value === "max" ? "max" : "min")}>
              <option value="min">lower</option>
              <option value="max">higher</option>
            </select>
          )}
        </Field>
      )}
      {(kind === "no_progress" || kind === "silent") && (
        <Field label="For">
          {(id) => (
            <span className="automation-row">
              <input id={id} className="field" required type="number" min="0" step="any" value={span} onChange={(event) => setSpan(event.target.value)} />
              {kind === "silent" ? (
                <span>minutes</span>
              ) : (
                <select className="field" aria-label="Unit" value={unit} onChange={(event) => setUnit(event.target.value === "steps" ? "steps" : "minutes")}>
                  <option>minutes</option>
                  <option>steps</option>
                </select>
              )}
            </span>
          )}
        </Field>
      )}
      <Field label="Only runs">
        {(id) => <input id={id} className="field mono" placeholder="all, or a query: tags.team = 'red'" value={filter} onChange={(event) => setFilter(event.target.value)} />}
      </Field>
      <Field label="Set tags">
        {(id) => <input id={id} className="field" placeholder="state=diverged" value={tags} onChange={(event) => setTags(event.target.value)} />}
      </Field>
      {maySeeWebhooks && (
        <Field label="Tell">
          {(id) => (
            <select id={id} className="field" value={webhook} onChange={(event) => setWebhook(event.target.value)}>
              <option value="">every webhook that wants rule.fired</option>
              {hooks.data?.webhooks.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <label className="automation-check">
        <input type="checkbox" checked={endsRun} onChange={(event) => setEndsRun(event.target.checked)} /> End a running run as killed
      </label>
      {error !== null && <ErrorMessage title="The rule was not saved" error={error} />}
      <div className="message-actions">
        <button type="submit" className="button is-primary" disabled={isBusy}>
          Save rule
        </button>
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** A label and what it names, which gets the id that ties them together. */
export function Field({ label, children }: { readonly label: string; readonly children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="setting">
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  );
}
