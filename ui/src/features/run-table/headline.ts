/** Which metric tells most about a run: the one whose spark line and best value the table shows first. */
import { directionOf } from "../../charts/direction";
import type { KeyInfo } from "../../api/keys";
import { metricColumn, type Column } from "./columns";

const HELD_OUT = /^(val|valid|validation|eval|evaluation|test|dev)([/_.-]|$)/i;
const SYSTEM = /^(system|sys|gpu|cpu)([/_.-]|$)/i;
const SCORE = /(^|[/_.-])(acc|accuracy|f1|auc|auroc|map|bleu|rouge|reward|return|score|iou|dice|r2|elo|pass@?\d*)([/_.@-]|\d|$)/i;
const COST = /(^|[/_.-])(loss|error|rmse|mae|mse|perplexity|ppl|wer|cer|nll)([/_.-]|$)/i;
const BOOKKEEPING = /(^|[/_.-])(epoch|step|steps|iter|iteration|lr|learning_rate|time|duration|tokens|samples|seen|norm|norms|weight_decay|momentum|timestamp)([/_.-]|$)/i;

/** Higher is more telling. */
function weight({ key, runs }: KeyInfo, mostRuns: number): number {
  let points = 0;
  if (HELD_OUT.test(key)) points += 8;
  if (SCORE.test(key)) points += 5;
  else if (COST.test(key)) points += 4;
  if (BOOKKEEPING.test(key)) points -= 6;
  if (SYSTEM.test(key)) points -= 12;
  // A metric that few runs have says little about all of them.
  return points + 4 * (mostRuns > 0 ? runs / mostRuns : 0);
}

/** Whether a metric says how good a run is, and not how it went about it: only such a metric has a best run. */
export function isResult(key: string): boolean {
  return !BOOKKEEPING.test(key) && !SYSTEM.test(key);
}

/** The metrics of an experiment, the most telling first. */
export function rankMetrics(keys: readonly KeyInfo[]): string[] {
  const metrics = keys.filter((key) => key.kind === "metric");
  const mostRuns = Math.max(0, ...metrics.map((key) => key.runs));
  return metrics
    .map((key) => ({ key: key.key, points: weight(key, mostRuns) }))
    .sort((a, b) => b.points - a.points || (a.key < b.key ? -1 : 1))
    .map(({ key }) => key);
}

/** The best value a run reached, by the direction of the metric. */
export function bestColumn(metric: string): Column {
  return metricColumn(metric, directionOf(metric));
}
