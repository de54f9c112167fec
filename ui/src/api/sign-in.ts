/** Signing in and out with the identity provider, and the sessions of people. */
import { queryOptions } from "@tanstack/react-query";
import { integer, list, nullable, object, record, text, word } from "../lib/shape";
import { getJson, sendJson } from "./client";
import type { SessionBegun, SessionListResponse, SessionResponse, SignInFinish, SignInStarted, SignInWays } from "./generated";

export type Session = SessionResponse;

const readSession = object<Session>({
  id: text,
  name: text,
  subject: text,
  tenants: record(word("viewer", "editor", "admin")),
  created_at: text,
  expires_at: text,
  last_used_at: nullable(text),
  revoked_at: nullable(text),
});

const readWays = object<SignInWays>({ mode: word("open", "secured"), provider: nullable(text) });
const readStarted = object<SignInStarted>({ url: text });
const readBegun = object<SessionBegun>({ secret: text, return_to: text, session: readSession });
const readSessions = object<SessionListResponse>({ sessions: list(readSession), total: integer });

export const waysQuery = queryOptions({
  queryKey: ["access", "ways"],
  queryFn: ({ signal }) => getJson("api/v1/sign-in", readWays, signal),
  staleTime: 60_000,
});

export const sessionsQuery = queryOptions({
  queryKey: ["access", "sessions"],
  queryFn: ({ signal }) => getJson("api/v1/sessions", readSessions, signal),
});

/** Where the browser goes to sign in, to come back to this path of the app. */
export async function startSignIn(returnTo: string): Promise<string> {
  return (await sendJson("POST", "api/v1/sign-in/start", { return_to: returnTo }, readStarted)).url;
}

export async function finishSignIn(body: SignInFinish): Promise<SessionBegun> {
  return sendJson("POST", "api/v1/sign-in/finish", body, readBegun);
}

export async function signOut(): Promise<Session> {
  return sendJson("POST", "api/v1/sign-out", undefined, readSession);
}

export async function endSession(id: string): Promise<Session> {
  return sendJson("DELETE", `api/v1/sessions/${encodeURIComponent(id)}`, undefined, readSession);
}
