/** The tenant of the page is part of its address: `?tenant=team-a`. */
import { useCallback } from "react";
import { useSearch } from "wouter";
import { readSearch, writeSearch } from "../lib/search-params";

const TENANT = /^[a-z0-9][a-z0-9_-]{0,62}$/;

export function isTenant(name: string): boolean {
  return TENANT.test(name);
}

export function tenantOf(search: string): string | null {
  const name = readSearch(search).get("tenant");
  return name !== undefined && isTenant(name) ? name : null;
}

export function useTenant(): string | null {
  return tenantOf(useSearch());
}

/** Adds the tenant of the page to a path of the app. */
export function useTenantHref(): (path: string) => string {
  const tenant = useTenant();
  return useCallback((path: string) => withTenant(path, tenant), [tenant]);
}

export function withTenant(path: string, tenant: string | null): string {
  if (tenant === null) return path;
  const [plain, search] = path.split("?", 2);
  const entries: [string, string | null][] = [["tenant", tenant]];
  for (const [name, value] of readSearch(search ?? "")) if (name !== "tenant") entries.push([name, value]);
  return `${plain ?? ""}?${writeSearch(entries)}`;
}
