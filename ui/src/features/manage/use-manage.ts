/** What changes runs and experiments as a whole: archive, restore, rename, remove. Archiving can be undone at once. */
import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import {
  archiveExperiment,
  experimentKeys,
  patchExperiment,
  purgeExperiment,
  restoreExperiment,
  type Experiment,
} from "../../api/experiments";
import { archiveRun, patchRun, purgeRun, restoreRun, runKeys, type Run } from "../../api/runs";
import { tableKeys } from "../../api/table";
import { toast, toastError } from "../../lib/toasts";

type Named<T> = Pick<T, Extract<keyof T, "id" | "name" | "experiment_id">>;

export interface Manage {
  readonly archiveRun: (run: Named<Run>) => void;
  readonly restoreRun: (run: Named<Run>) => void;
  /** Rejects when the server refuses, for the dialog that asked. */
  readonly renameRun: (run: Named<Run>, name: string) => Promise<void>;
  readonly purgeRun: (run: Named<Run>) => Promise<void>;
  readonly archiveExperiment: (experiment: Named<Experiment>) => void;
  readonly restoreExperiment: (experiment: Named<Experiment>) => void;
  readonly renameExperiment: (experiment: Named<Experiment>, name: string) => Promise<void>;
  readonly purgeExperiment: (experiment: Named<Experiment>) => Promise<void>;
}

export function useManage(): Manage {
  const client = useQueryClient();
  return useMemo(() => {
    const refresh = async (experimentId: string): Promise<void> => {
      await Promise.all([
        client.invalidateQueries({ queryKey: runKeys.all }),
        client.invalidateQueries({ queryKey: experimentKeys.all }),
        client.invalidateQueries({ queryKey: tableKeys.all(experimentId) }),
      ]);
    };
    const attempt = (what: string, experimentId: string, work: () => Promise<unknown>, done: () => void): void => {
      work().then(
        () => {
          done();
          void refresh(experimentId);
        },
        (error: unknown) => toastError(what, error),
      );
    };
    const manage: Manage = {
      archiveRun: (run) =>
        attempt(`${run.name} was not archived`, run.experiment_id, () => archiveRun(run.id), () =>
          toast(`${run.name} archived`, { label: "Undo", run: () => manage.restoreRun(run) }),
        ),
      restoreRun: (run) =>
        attempt(`${run.name} was not restored`, run.experiment_id, () => restoreRun(run.id), () => toast(`${run.name} restored`)),
      renameRun: async (run, name) => {
        await patchRun(run.id, { name });
        await refresh(run.experiment_id);
      },
      purgeRun: async (run) => {
        await purgeRun(run.id);
        await refresh(run.experiment_id);
        toast(`${run.name} deleted for good`);
      },
      archiveExperiment: (one) =>
        attempt(`${one.name} was not archived`, one.id, () => archiveExperiment(one.id), () =>
          toast(`${one.name} and its runs archived`, { label: "Undo", run: () => manage.restoreExperiment(one) }),
        ),
      restoreExperiment: (one) =>
        attempt(`${one.name} was not restored`, one.id, () => restoreExperiment(one.id), () => toast(`${one.name} restored`)),
      renameExperiment: async (one, name) => {
        await patchExperiment(one.id, { name });
        await refresh(one.id);
      },
      purgeExperiment: async (one) => {
        await purgeExperiment(one.id);
        await refresh(one.id);
        toast(`${one.name} deleted for good`);
      },
    };
    return manage;
  }, [client]);
}
