// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveLink, type LinkState, type LiveChange } from "./live";

interface Glance {
  id: string;
  metrics: Record<string, number | string>;
}

let running: Glance[];
let total: number;
let isDown: boolean;
let status: number;

beforeEach(() => {
  vi.useFakeTimers();
  running = [{ id: "a", metrics: { loss: 1 } }];
  total = 3;
  isDown = false;
  status = 200;
  vi.stubGlobal("fetch", async (address: string) => {
    if (isDown) throw new TypeError("connection refused");
    if (status !== 200) return Response.json({ detail: "no such experiment", code: "experiment_not_found" }, { status });
    return Response.json(address.includes("status=running") ? { runs: running, total: running.length } : { runs: [], total });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function watch(): Promise<{ states: LinkState[]; changes: LiveChange[]; link: LiveLink }> {
  const states: LinkState[] = [];
  const changes: LiveChange[] = [];
  const link = new LiveLink("e", { onState: (state) => states.push(state), onChange: (change) => changes.push(change) });
  await vi.advanceTimersByTimeAsync(0);
  return { states, changes, link };
}

test("a new value of a running run is a change of that run alone", async () => {
  const { changes, link } = await watch();
  running = [{ id: "a", metrics: { loss: 0.5 } }];
  await vi.advanceTimersByTimeAsync(2_000);
  expect(changes).toEqual([{ changed: ["a"], isListStale: false }]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(changes).toHaveLength(1);
  link.close();
});

test("a run that ends, and one that begins, make the list stale", async () => {
  const { changes, link } = await watch();
  running = [{ id: "b", metrics: {} }];
  total = 4;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(changes).toEqual([{ changed: ["b", "a"], isListStale: true }]);
  link.close();
});

test("a NaN that stays is no change", async () => {
  running = [{ id: "a", metrics: { loss: "NaN" } }];
  const { changes, link } = await watch();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(changes).toEqual([]);
  link.close();
});

test("a lost link is said, tried again ever more slowly, and recovers", async () => {
  const { states, link } = await watch();
  isDown = true;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(states.at(-1)?.kind).toBe("lost");
  const lost = states.length;
  await vi.advanceTimersByTimeAsync(2_000 + 4_000 + 8_000);
  expect(states.length - lost).toBe(3);
  isDown = false;
  link.retry();
  await vi.advanceTimersByTimeAsync(0);
  expect(states.at(-1)).toEqual({ kind: "live", running: 1 });
  link.close();
});

test("what the server refuses is not asked again", async () => {
  status = 404;
  const { states, link } = await watch();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(states).toEqual([]);
  link.close();
});

test("a closed link is silent", async () => {
  const { states, link } = await watch();
  link.close();
  const before = states.length;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(states).toHaveLength(before);
});
