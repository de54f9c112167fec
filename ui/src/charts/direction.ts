/** Whether less or more of a metric is better, judged from its name by the same rule as the server's comparisons. */

export type Direction = "min" | "max";

const COSTS = new Set(
  (
    "loss losses err error errors rmse rmsle mse msle mae mape smape medae mad wmape perplexity ppl latency cost " +
    "costs time duration elapsed secs seconds ms wer cer mer ter nll logloss entropy divergence kl kld fid kid " +
    "lpips regret distance deviance ece mce brier eer fpr fnr fdr bpc bpb bpd penalty violation violations " +
    "overhead residual chamfer hausdorff"
  ).split(" "),
);
const WORD = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g;

export function directionOf(key: string): Direction {
  const words = (key.match(WORD) ?? []).map((word) => word.toLowerCase());
  const isCost = words.some((word) => COSTS.has(word) || word.endsWith("loss") || word.endsWith("error"));
  return isCost ? "min" : "max";
}
