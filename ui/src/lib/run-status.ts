/** The states of a run, as the API names them. */
export const RUN_STATUSES = ["running", "scheduled", "finished", "failed", "killed"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
