/**
 * Where the answers stood that a page shows: the server's revision before it read them, by experiment. A live stream that
 * begins there tells what has changed since, so nothing falls between the first read and the first event.
 */

const HEADER = "gnomon-revision";
const EXPERIMENT = /api\/v1\/experiments\/([^/?]+)/;

export interface Revision {
  readonly id: string;
  /** When the answer was asked for, in milliseconds of `performance.now()`. */
  readonly askedAt: number;
}

type Listener = (revision: Revision) => void;

/** The lowest that is known of each experiment: what is cached may be as old as that. */
const lowest = new Map<string, string>();
const listeners = new Map<string, Set<Listener>>();

/** Notes what an answer says of where it stood. */
export function noteRevision(path: string, response: Response, askedAt: number): void {
  const id = response.headers.get(HEADER);
  const experiment = EXPERIMENT.exec(path)?.[1];
  if (id === null || experiment === undefined) return;
  const known = lowest.get(experiment);
  if (known === undefined || isBefore(id, known)) lowest.set(experiment, id);
  for (const listener of listeners.get(experiment) ?? []) listener({ id, askedAt });
}

/** Somebody else looks: nothing of what was read is shown any more. */
export function forgetRevisions(): void {
  lowest.clear();
}

export function lowestRevision(experimentId: string): string | null {
  return lowest.get(encodeURIComponent(experimentId)) ?? null;
}

/** All that is shown stands there now. */
export function setRevision(experimentId: string, id: string): void {
  lowest.set(encodeURIComponent(experimentId), id);
}

/** Hears of every answer until the returned function is called. */
export function onRevision(experimentId: string, listener: Listener): () => void {
  const key = encodeURIComponent(experimentId);
  const those = listeners.get(key) ?? new Set();
  listeners.set(key, those.add(listener));
  return () => {
    those.delete(listener);
    if (those.size === 0) listeners.delete(key);
  };
}

/** Whether `a` is older than `b`, as far as one can tell: those of two processes cannot be compared. */
export function isBefore(a: string, b: string): boolean {
  const [epochA = "", numberA = ""] = a.split("-");
  const [epochB = "", numberB = ""] = b.split("-");
  return epochA === epochB && Number(numberA) < Number(numberB);
}

/** Whether everything that an answer of `a` lacks is told by a stream that begins at `b`. */
export function isCovered(a: string, b: string): boolean {
  return a === b || isBefore(b, a);
}
