/** Which parameters go with the target, as a table with bars: an honest, small figure, and what it does not say. */
import { LEAST_RUNS, type Association } from "./association";

interface Props {
  readonly associations: readonly Association[];
  readonly runCount: number;
  readonly isHigherBetter: boolean;
}

/** Above this, shuffled runs explain as much often enough that the figure means nothing. */
const MOST_CHANCE = 0.05;

export function Importance({ associations, runCount, isHigherBetter }: Props) {
  if (associations.length === 0) {
    return (
      <p className="sweep-empty">
        {runCount < LEAST_RUNS
          ? `${LEAST_RUNS} runs with this metric are needed to say anything; there are ${runCount}.`
          : "No parameter takes several values over these runs."}
      </p>
    );
  }
  return (
    <>
      <div className="importance-scroll" tabIndex={0} role="region" aria-label="Association of parameters with the target">
        <table className="importance">
          <thead>
            <tr>
              <th scope="col">Parameter</th>
              <th scope="col">Explains</th>
              <th scope="col" className="num">ε²</th>
              <th scope="col" className="num">ρ</th>
              <th scope="col" className="num">p</th>
              <th scope="col" className="num">Runs</th>
            </tr>
          </thead>
          <tbody>
            {associations.map(({ key, share, rho, p, n }) => (
              <tr key={key} className={p > MOST_CHANCE ? "is-chance" : undefined}>
                <th scope="row" title={key}>
                  {key}
                </th>
                <td aria-label={`${Math.round(share * 100)} percent`}>
                  <span className="bar" aria-hidden="true">
                    <i style={{ width: `${Math.round(share * 100)}%` }} />
                  </span>
                </td>
                <td className="num">{share.toFixed(2)}</td>
                <td className="num" title={rho === null ? "no order among categories" : directionText(rho, isHigherBetter)}>
                  {rho === null ? "–" : rho.toFixed(2).replace("-", "−")}
                </td>
                <td className="num">{p < 0.01 ? "<0.01" : p.toFixed(2)}</td>
                <td className="num">{n}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="sweep-note">
        ε²: share of the variance of the target’s ranks that goes with each parameter alone. ρ: Spearman’s correlation. Grey:
        chance explains as much. An association is not a cause, and parameters that vary together share it.
      </p>
    </>
  );
}

function directionText(rho: number, isHigherBetter: boolean): string {
  if (Math.abs(rho) < 0.1) return "no direction";
  const better = rho > 0 === isHigherBetter;
  return better ? "larger goes with better" : "smaller goes with better";
}
