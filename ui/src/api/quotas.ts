/** What the tenants that the caller may see keep, and the most that each may keep. */
import { queryOptions } from "@tanstack/react-query";
import { integer, list, nullable, object, text, word } from "../lib/shape";
import { getJson } from "./client";
import type { QuotaList, QuotaUse, TenantQuotas } from "./generated";

const readQuotas = object<QuotaList>({
  tenants: list(
    object<TenantQuotas>({
      tenant: text,
      quotas: list(
        object<QuotaUse>({
          quota: word("experiments", "runs", "series", "points", "artifact_bytes"),
          used: integer,
          limit: nullable(integer),
        }),
      ),
    }),
  ),
  total: integer,
  limit: integer,
  offset: integer,
});

export const quotasQuery = queryOptions({
  queryKey: ["quotas"],
  queryFn: ({ signal }) => getJson("api/v1/quotas", readQuotas, signal),
});
