/** Who the caller is, the API keys it manages, and the audit log it may read. */
import { queryOptions } from "@tanstack/react-query";
import { integer, list, nullable, object, record, text, word, type Read } from "../lib/shape";
import { getJson, sendJson, withQuery } from "./client";
import type { AuditEntryResponse, AuditListResponse, KeyCreate, KeyListResponse, KeyMinted, KeyResponse, MeResponse } from "./generated";

export type Key = KeyResponse;
export type Role = KeyResponse["role"];
export type AuditEntry = AuditEntryResponse;

export const ROLES = ["viewer", "ingest", "editor", "admin"] as const;

const readRole = word("viewer", "ingest", "editor", "admin", "platform");

const readMe = object<MeResponse>({
  mode: word("open", "secured"),
  role: word("open", "viewer", "ingest", "editor", "admin", "platform"),
  name: text,
  key_id: nullable(text),
  session_id: nullable(text),
  expires_at: nullable(text),
  tenant: nullable(text),
  tenants: list(text),
  permissions: list(text),
});

const readKey: Read<Key> = object<Key>({
  id: text,
  name: text,
  role: readRole,
  tenants: list(text),
  created_at: text,
  created_by: text,
  expires_at: nullable(text),
  last_used_at: nullable(text),
  revoked_at: nullable(text),
});

const readMinted = object<KeyMinted>({ secret: text, key: readKey });
const readKeys = object<KeyListResponse>({ keys: list(readKey), total: integer });
const readAudit = object<AuditListResponse>({
  entries: list(
    object<AuditEntry>({
      id: integer,
      time: text,
      tenant: text,
      actor: text,
      action: text,
      target: text,
      detail: record(text),
      digest: text,
    }),
  ),
  total: integer,
  limit: integer,
  offset: integer,
});

export const meQuery = queryOptions({
  queryKey: ["access", "me"],
  queryFn: ({ signal }) => getJson("api/v1/me", readMe, signal),
});

export const keysQuery = queryOptions({
  queryKey: ["access", "keys"],
  queryFn: ({ signal }) => getJson("api/v1/keys", readKeys, signal),
});

export function auditQuery(limit: number) {
  return queryOptions({
    queryKey: ["access", "audit", limit],
    queryFn: ({ signal }) => getJson(withQuery("api/v1/audit", { limit }), readAudit, signal),
  });
}

export async function createKey(body: KeyCreate): Promise<KeyMinted> {
  return sendJson("POST", "api/v1/keys", body, readMinted);
}

export async function rotateKey(id: string): Promise<KeyMinted> {
  return sendJson("POST", `api/v1/keys/${encodeURIComponent(id)}/rotate`, undefined, readMinted);
}

export async function revokeKey(id: string): Promise<Key> {
  return sendJson("DELETE", `api/v1/keys/${encodeURIComponent(id)}`, undefined, readKey);
}
