/** Save, change and remove the views of an experiment. What was removed can be brought back. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createView, deleteView, replaceView, viewsKey, viewsQuery, type SavedView } from "../../api/views";
import { toast, toastError } from "../../lib/toasts";

export interface SavedViews {
  readonly views: readonly SavedView[];
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly save: (name: string, state: string) => Promise<SavedView>;
  readonly replace: (view: SavedView, change: { readonly name?: string; readonly state?: string }) => Promise<SavedView>;
  readonly remove: (view: SavedView) => Promise<void>;
}

export function useSavedViews(experimentId: string): SavedViews {
  const client = useQueryClient();
  const query = useQuery(viewsQuery(experimentId));
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: viewsKey(experimentId) });
  const bringBack = (view: SavedView): void => {
    createView(experimentId, { name: view.name, state: view.state }).then(
      () => void refresh(),
      (error: unknown) => toastError(`The view “${view.name}” could not be brought back`, error),
    );
  };
  return {
    views: query.data ?? [],
    isPending: query.isPending,
    error: query.error,
    save: async (name, state) => {
      const made = await createView(experimentId, { name, state });
      await refresh();
      return made;
    },
    replace: async (view, change) => {
      const changed = await replaceView(experimentId, view.id, { name: view.name, state: view.state, ...change });
      await refresh();
      return changed;
    },
    remove: async (view) => {
      const removed = await deleteView(experimentId, view.id);
      await refresh();
      toast(`View “${removed.name}” deleted`, { label: "Undo", run: () => bringBack(removed) });
    },
  };
}
