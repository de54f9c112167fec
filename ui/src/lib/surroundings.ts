/**
 * Where a run came from: the code, the command and the machine, as the tags say that a client of ours or MLflow's set
 * when the run began.
 */
type Tags = Readonly<Record<string, string>>;

export interface Fact {
  readonly name: string;
  readonly text: string;
}

/** What is shown, and the tags that may say it, ours first. */
const FACTS: readonly (readonly [name: string, tags: readonly string[]])[] = [
  ["commit", ["gnomon.git.commit", "mlflow.source.git.commit"]],
  ["branch", ["gnomon.git.branch", "mlflow.source.git.branch"]],
  ["repository", ["gnomon.git.remote", "mlflow.source.git.repoURL"]],
  ["local changes", ["gnomon.git.dirty"]],
  ["command", ["gnomon.command", "mlflow.source.name"]],
  ["host", ["gnomon.host"]],
  ["python", ["gnomon.python"]],
];

const TOLD: ReadonlySet<string> = new Set(FACTS.flatMap(([, tags]) => tags));

export const FACT_NAMES: readonly string[] = FACTS.map(([name]) => name);

export function surroundingsOf(tags: Tags): Fact[] {
  return FACTS.flatMap(([name, keys]) => {
    const found = keys.map((key) => tags[key]).find((value) => value !== undefined && value !== "");
    if (found === undefined) return [];
    return [{ name, text: name === "local changes" ? (found === "true" ? "yes" : "none") : found }];
  });
}

/** Whether the surroundings already say what the tag says. */
export function isSurrounding(tag: string): boolean {
  return TOLD.has(tag);
}

/** The packages of a requirements file, `name==version` a line; what is no such line is left out. */
export function packagesOf(requirements: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of requirements.split("\n")) {
    const match = /^([A-Za-z0-9._-]+)\s*(?:==|@)\s*(\S+)/.exec(line.trim());
    if (match?.[1] !== undefined && match[2] !== undefined) found.set(match[1], match[2]);
  }
  return found;
}
