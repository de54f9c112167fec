/**
 * How every request leaves the page: to this server, under its path prefix, for the tenant of the URL, with the key if
 * one was entered. Errors become one class with a sentence for the user.
 */
import { list, nullable, object, ShapeError, text, type Read } from "../lib/shape";
import { forgetRevisions, noteRevision } from "./revisions";

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly fields: readonly FieldProblem[] = [],
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Whether asking again can help: what is refused, or is not there, stays so. */
export function isWorthRetrying(error: Error): boolean {
  return !(error instanceof ApiError) || error.status >= 500 || error.status === 429;
}

/** The server could not be reached at all. */
export class LinkError extends Error {
  constructor() {
    super("The server cannot be reached. Check that it is running; this page tries again by itself.");
    this.name = "LinkError";
  }
}

interface Caller {
  readonly tenant: string | null;
  readonly key: string | null;
}

let caller: Caller = { tenant: null, key: null };

export function setCaller(next: Caller): void {
  if (next.tenant !== caller.tenant || next.key !== caller.key) forgetRevisions();
  caller = next;
}

/** An address of this server, whatever prefix it lives under. */
export function serverUrl(path: string): string {
  return new URL(path.replace(/^\//, ""), document.baseURI).toString();
}

export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (caller.tenant !== null) headers.set("x-tenant-id", caller.tenant);
  if (caller.key !== null) headers.set("authorization", `Bearer ${caller.key}`);
  const askedAt = performance.now();
  try {
    const response = await fetch(serverUrl(path), { ...init, headers });
    noteRevision(path, response, askedAt);
    return response;
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new LinkError();
  }
}

export type QueryValue = string | number | null | readonly string[];

export function withQuery(path: string, query: Readonly<Record<string, QueryValue>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null) continue;
    if (typeof value === "object") for (const item of value) params.append(name, item);
    else params.set(name, String(value));
  }
  const written = params.toString();
  return written === "" ? path : `${path}?${written}`;
}

export async function getJson<T>(path: string, read: Read<T>, signal?: AbortSignal): Promise<T> {
  const response = await send(path, { headers: { accept: "application/json" }, ...(signal === undefined ? {} : { signal }) });
  return readAnswer(response, read);
}

export async function sendJson<T>(
  method: "POST" | "PATCH" | "PUT" | "DELETE",
  path: string,
  body: unknown,
  read: Read<T>,
  signal?: AbortSignal,
): Promise<T> {
  const response = await send(path, {
    method,
    headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  return readAnswer(response, read);
}

async function readAnswer<T>(response: Response, read: Read<T>): Promise<T> {
  if (!response.ok) throw await problemOf(response);
  const body: unknown = await response.json();
  return read(body, "");
}

const readProblem = object<{ detail: string; code: string; errors: FieldProblem[] | null }>({
  detail: text,
  code: text,
  errors: nullable(list(object<FieldProblem>({ field: text, message: text }))),
});

const readRefusal = object<{ error_code: string; message: string }>({ error_code: text, message: text });

/** What the routes of MLflow's protocol say, which the pages of models read; null: somebody else's words. */
function refusalOf(body: unknown): { error_code: string; message: string } | null {
  try {
    return readRefusal(body, "refusal");
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
}

export async function problemOf(response: Response): Promise<ApiError> {
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("problem+json")) {
    const body: unknown = await response.json();
    const problem = readProblem(body, "problem");
    return new ApiError(problem.detail, response.status, problem.code, problem.errors ?? []);
  }
  if (type.includes("json")) {
    const refusal = refusalOf(await response.json());
    if (refusal !== null) return new ApiError(refusal.message, response.status, refusal.error_code);
  }
  return new ApiError(`The server answered ${response.status} ${response.statusText}.`.trim(), response.status, "http");
}
