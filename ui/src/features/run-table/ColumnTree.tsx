/** All keys that a column can have, as a tree by kind; a metric brings any of its aggregates. */
import { useMemo } from "react";
import { directionOf } from "../../charts/direction";
import type { KeyInfo } from "../../api/keys";
import { AGGREGATES, ATTRIBUTE_LABELS, metricColumn, plainColumn } from "./columns";
import { keyTree, leafName, matching, type Branch } from "./key-tree";

interface Props {
  readonly keys: readonly KeyInfo[];
  /** What is searched for. */
  readonly wanted: string;
  readonly shown: ReadonlySet<string>;
  readonly onToggle: (id: string) => void;
}

/** More than this is searched, not scrolled. */
const MOST_KEYS = 400;
const ATTRIBUTES = ["start_time", "duration", "status", "created_by", "end_time", "id"];

export function ColumnTree({ keys, wanted, shown, onToggle }: Props) {
  const trees = useMemo(() => {
    const of = (kind: KeyInfo["kind"]): Branch => {
      const all = keys.filter((key) => key.kind === kind).map((key) => key.key);
      return keyTree(matching(all, wanted).slice(0, MOST_KEYS));
    };
    return { metric: of("metric"), param: of("param"), tag: of("tag") };
  }, [keys, wanted]);
  const attributes = ATTRIBUTES.filter((key) => (ATTRIBUTE_LABELS[key] ?? key).includes(wanted.toLowerCase()));
  return (
    <div className="column-tree">
      <Kind name="Metrics" tree={trees.metric}>
        {(key, label) => <MetricLeaf key={key} metric={key} label={label} shown={shown} onToggle={onToggle} />}
      </Kind>
      {(["param", "tag"] as const).map((kind) => (
        <Kind key={kind} name={kind === "param" ? "Params" : "Tags"} tree={trees[kind]}>
          {(key, label) => <Leaf key={key} id={plainColumn(kind, key).id} label={label} shown={shown} onToggle={onToggle} />}
        </Kind>
      ))}
      {attributes.length > 0 && (
        <fieldset>
          <legend>Run</legend>
          {attributes.map((key) => (
            <Leaf key={key} id={key} label={ATTRIBUTE_LABELS[key] ?? key} shown={shown} onToggle={onToggle} />
          ))}
        </fieldset>
      )}
    </div>
  );
}

type DrawLeaf = (key: string, label: string) => React.ReactNode;

function Kind({ name, tree, children }: { readonly name: string; readonly tree: Branch; readonly children: DrawLeaf }) {
  if (tree.leaves.length === 0 && tree.branches.length === 0) return null;
  return (
    <fieldset>
      <legend>{name}</legend>
      <BranchRows branch={tree} draw={children} />
    </fieldset>
  );
}

function BranchRows({ branch, draw }: { readonly branch: Branch; readonly draw: DrawLeaf }) {
  return (
    <>
      {branch.leaves.map((key) => draw(key, leafName(key, branch)))}
      {branch.branches.map((inner) => (
        <details key={inner.path} open>
          <summary>{inner.name}/</summary>
          <div className="column-branch">
            <BranchRows branch={inner} draw={draw} />
          </div>
        </details>
      ))}
    </>
  );
}

interface LeafProps extends Pick<Props, "shown" | "onToggle"> {
  readonly id: string;
  readonly label: string;
}

function Leaf({ id, label, shown, onToggle }: LeafProps) {
  return (
    <label className="column-leaf">
      <input type="checkbox" checked={shown.has(id)} onChange={() => onToggle(id)} />
      <span title={label}>{label}</span>
    </label>
  );
}

/** A metric's own aggregates, the best one first. */
function MetricLeaf({ metric, label, shown, onToggle }: Omit<LeafProps, "id"> & { readonly metric: string }) {
  const best = directionOf(metric);
  const order = [best, ...AGGREGATES.filter((aggregate) => aggregate !== best)];
  return (
    <div className="column-leaf is-metric">
      <span title={metric}>{label}</span>
      <span className="column-aggregates" role="group" aria-label={`Columns of ${metric}`}>
        {order.map((aggregate) => {
          const { id } = metricColumn(metric, aggregate);
          return (
            <button key={aggregate} type="button" aria-pressed={shown.has(id)} onClick={() => onToggle(id)}>
              {aggregate}
            </button>
          );
        })}
      </span>
    </div>
  );
}
