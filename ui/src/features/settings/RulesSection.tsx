/** Rules over the metrics of an experiment: made, changed, tried and removed. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { automationKeys, deleteRule, rulesQuery, saveRule, testRule, type Rule } from "../../api/automation";
import { experimentsQuery } from "../../api/experiments";
import type { RuleMatch, RuleSave } from "../../api/generated";
import { Dialog } from "../../ui/Dialog";
import { Link } from "../../ui/Link";
import { ErrorMessage, Loading } from "../../ui/Message";
import { RuleForm } from "./RuleForm";
import { bodyOf, conditionOf, effectOf } from "./rule-text";

interface Props {
  readonly mayChange: boolean;
  readonly maySeeWebhooks: boolean;
}

export function RulesSection({ mayChange, maySeeWebhooks }: Props) {
  const experiments = useQuery(experimentsQuery({ search: "", stage: "active", limit: 200 }));
  const listed = experiments.data?.experiments ?? [];
  const [chosen, setChosen] = useState("");
  const experiment = chosen === "" ? (listed[0]?.id ?? "") : chosen;
  return (
    <section aria-labelledby="automation-rules">
      <h2 id="automation-rules">Rules</h2>
      <p className="settings-note">
        What the server looks out for in an experiment’s metrics. A rule fires once for a run; the run’s page says so, and
        webhooks that want rule.fired are told.
      </p>
      {experiments.error !== null && <ErrorMessage title="The experiments could not be read" error={experiments.error} />}
      {experiments.data !== undefined && listed.length === 0 && <p className="settings-note">There is no experiment yet.</p>}
      {experiment !== "" && (
        <>
          <label className="setting">
            <span>Experiment</span>
            <select className="field" value={experiment} onChange={(event) => setChosen(event.target.value)}>
              {listed.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.name}
                </option>
              ))}
            </select>
          </label>
          <ExperimentRules key={experiment} experiment={experiment} mayChange={mayChange} maySeeWebhooks={maySeeWebhooks} />
        </>
      )}
    </section>
  );
}

interface RulesProps extends Props {
  readonly experiment: string;
}

function ExperimentRules({ experiment, mayChange, maySeeWebhooks }: RulesProps) {
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(rulesQuery(experiment));
  const [edited, setEdited] = useState<Rule | "new" | null>(null);
  const [leaving, setLeaving] = useState<Rule | null>(null);
  const [tested, setTested] = useState<{ rule: Rule; matches: readonly RuleMatch[] } | null>(null);
  const settled = { onSettled: () => queries.invalidateQueries({ queryKey: automationKeys.rules(experiment) }) };
  const save = useMutation({
    mutationFn: ({ id, body }: { id: string | null; body: RuleSave }) => saveRule(experiment, id, body),
    onSuccess: () => {
      setEdited(null);
      setTested(null); // it was said of the rule as it had been
    },
    ...settled,
  });
  const remove = useMutation({ mutationFn: (rule: Rule) => deleteRule(experiment, rule.id), ...settled });
  const test = useMutation({
    mutationFn: async (rule: Rule) => ({ rule, matches: await testRule(experiment, rule.id) }),
    onSuccess: setTested,
  });
  const failed = remove.error ?? test.error;
  return (
    <>
      {error !== null && <ErrorMessage title="The rules could not be read" error={error} onRetry={() => void refetch()} />}
      {failed !== null && <ErrorMessage title="That did not work" error={failed} />}
      {data === undefined && error === null && <Loading />}
      {data?.rules.length === 0 && <p className="settings-note">No rules in this experiment.</p>}
      {data !== undefined && data.rules.length > 0 && (
        <ul className="automation-list">
          {data.rules.map((rule) => (
            <li key={rule.id} className={rule.active ? undefined : "is-ended"}>
              <div className="automation-what">
                <b>{rule.name}</b>
                <span>{conditionOf(rule)}</span>
                <small>{effectOf(rule)}{rule.active ? "" : " · asleep"}</small>
              </div>
              <div className="automation-actions">
                <button type="button" className="button" aria-label={`Test ${rule.name}`} onClick={() => test.mutate(rule)}>
                  Test
                </button>
                {mayChange && (
                  <>
                    <button type="button" className="button" aria-label={`Edit ${rule.name}`} onClick={() => setEdited(rule)}>
                      Edit
                    </button>
                    <button
                      type="button"
                      className="button"
                      aria-label={`${rule.active ? "Pause" : "Resume"} ${rule.name}`}
                      onClick={() => save.mutate({ id: rule.id, body: { ...bodyOf(rule), active: !rule.active } })}
                    >
                      {rule.active ? "Pause" : "Resume"}
                    </button>
                    <button type="button" className="button" aria-label={`Delete ${rule.name}`} onClick={() => setLeaving(rule)}>
                      Delete
                    </button>
                  </>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
      {tested !== null && <Tested name={tested.rule.name} matches={tested.matches} />}
      {mayChange && edited === null && (
        <button type="button" className="button" onClick={() => setEdited("new")}>
          New rule
        </button>
      )}
      {edited !== null && (
        <RuleForm
          key={edited === "new" ? "new" : edited.id}
          rule={edited === "new" ? null : edited}
          maySeeWebhooks={maySeeWebhooks}
          isBusy={save.isPending}
          error={save.error}
          onSave={(body) => save.mutate({ id: edited === "new" ? null : edited.id, body })}
          onCancel={() => setEdited(null)}
        />
      )}
      {leaving !== null && (
        <Dialog label={`Delete ${leaving.name}?`} onClose={() => setLeaving(null)}>
          <p>It no longer fires. What it has said on runs’ pages stays there.</p>
          <div className="message-actions">
            <button
              type="button"
              className="button is-primary"
              onClick={() => {
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
    </>
  );
}

function Tested({ name, matches }: { readonly name: string; readonly matches: readonly RuleMatch[] }) {
  return (
    <div className="minted" role="status">
      <p>
        <b>{name}</b> {matches.length === 0 ? "holds for none of the newest 100 runs." : `holds now for ${matches.length} of the newest 100 runs:`}
      </p>
      <ul className="automation-matches">
        {matches.slice(0, 10).map((match) => (
          <li key={match.run_id}>
            <Link className="link" to={`/r/${match.run_id}`}>
              {match.run_name}
            </Link>{" "}
            {match.message}
          </li>
        ))}
      </ul>
    </div>
  );
}
