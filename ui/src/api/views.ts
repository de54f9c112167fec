/** Saved views of an experiment: what its page shows, under a name, for everybody in the tenant. */
import { queryOptions } from "@tanstack/react-query";
import { integer, list, object, text } from "../lib/shape";
import { getJson, sendJson } from "./client";
import type { ViewListResponse, ViewResponse, ViewSave } from "./generated";

export type SavedView = ViewResponse;

const readView = object<SavedView>({
  id: text,
  name: text,
  state: text,
  created_at: text,
  last_updated: text,
  created_by: text,
});

const readViews = object<ViewListResponse>({ views: list(readView), total: integer });

function viewsPath(experimentId: string, viewId?: string): string {
  const all = `api/v1/experiments/${encodeURIComponent(experimentId)}/views`;
  return viewId === undefined ? all : `${all}/${encodeURIComponent(viewId)}`;
}

export const viewsKey = (experimentId: string) => ["views", experimentId] as const;

export function viewsQuery(experimentId: string) {
  return queryOptions({
    queryKey: viewsKey(experimentId),
    queryFn: async ({ signal }) => (await getJson(viewsPath(experimentId), readViews, signal)).views,
  });
}

export function createView(experimentId: string, view: ViewSave): Promise<SavedView> {
  return sendJson("POST", viewsPath(experimentId), view, readView);
}

export function replaceView(experimentId: string, viewId: string, view: ViewSave): Promise<SavedView> {
  return sendJson("PUT", viewsPath(experimentId, viewId), view, readView);
}

export function deleteView(experimentId: string, viewId: string): Promise<SavedView> {
  return sendJson("DELETE", viewsPath(experimentId, viewId), undefined, readView);
}
