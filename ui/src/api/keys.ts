/** The keys of an experiment: what its runs have logged, by kind. */
import { queryOptions } from "@tanstack/react-query";
import { integer, list, object, text, word } from "../lib/shape";
import { getJson, withQuery } from "./client";
import type { KeyInfo, KeysResponse } from "./generated";

export const KEY_KINDS = ["metric", "param", "tag"] as const;
export type KeyKind = KeyInfo["kind"];

export type { KeyInfo };

type KeyPage = Pick<KeysResponse, "keys" | "total">;

const readPage = object<KeyPage>({
  keys: list(object<KeyInfo>({ kind: word(...KEY_KINDS), key: text, runs: integer })),
  total: integer,
});

const PAGE = 1000;
/** An experiment with more keys is searched by prefix; the page says so. */
const MOST_PAGES = 20;

export const keysKey = (experimentId: string) => ["keys", experimentId] as const;

/** All keys of an experiment, page by page. */
export function keysQuery(experimentId: string) {
  return queryOptions({
    queryKey: keysKey(experimentId),
    queryFn: async ({ signal }): Promise<KeyPage> => {
      const keys: KeyInfo[] = [];
      let total = 0;
      for (let page = 0; page < MOST_PAGES; page++) {
        const path = withQuery(`api/v1/experiments/${encodeURIComponent(experimentId)}/keys`, {
          limit: PAGE,
          offset: page * PAGE,
        });
        const answer = await getJson(path, readPage, signal);
        keys.push(...answer.keys);
        total = answer.total;
        if (keys.length >= total || answer.keys.length === 0) break;
      }
      return { keys, total };
    },
    staleTime: 10_000,
  });
}
