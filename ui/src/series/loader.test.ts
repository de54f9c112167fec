import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { rectangles, requestBlocks, SeriesLoader, type Wanted } from "./loader";
import type { Series, SeriesRequest } from "./series";
import { reducePoints } from "./series-fixture";

const points: [number, number][] = Array.from({ length: 4000 }, (_, i) => [i, i]);
const wanted = (change: Partial<Wanted> = {}): Wanted => ({
  runIds: ["a", "b"], keys: ["loss", "acc"], x: "step", window: null, buckets: 100, ...change,
});

/** A server that notes what it is asked and answers when told. */
class Server {
  readonly asked: { request: SeriesRequest; signal: AbortSignal; answer: (error?: Error) => Promise<void> }[] = [];
  readonly fetch = (request: SeriesRequest, signal: AbortSignal): Promise<Series[]> =>
    new Promise((resolve, reject) => {
      const answer = async (error?: Error): Promise<void> => {
        if (error === undefined) resolve(this.series(request));
        else reject(error);
        await vi.advanceTimersByTimeAsync(0);
      };
      this.asked.push({ request, signal, answer });
    });

  private series({ runIds, keys, range, buckets }: SeriesRequest): Series[] {
    const within = points.filter(([x]) => range === null || (x >= range[0] && x <= range[1]));
    return runIds.flatMap((runId) =>
      keys.filter((key) => key !== "nobody").map((key) => reducePoints(within, buckets, { runId, key })),
    );
  }
}

let server: Server;
let loader: SeriesLoader;

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  loader = new SeriesLoader(server.fetch);
});
afterEach(() => {
  loader.dispose();
  vi.useRealTimers();
});

async function settle(ms = 10): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

describe("what is on screen is fetched", () => {
  test("a page of panels is one request", async () => {
    loader.want(wanted());
    expect(loader.stateOf("loss").state).toBe("loading");
    await settle();
    expect(server.asked.map(({ request }) => request)).toEqual([
      { runIds: ["a", "b"], keys: ["loss", "acc"], x: "step", buckets: 100, range: null },
    ]);
    await server.asked[0]?.answer();
    expect(loader.stateOf("loss").state).toBe("ready");
    expect(loader.read("a", "acc")?.n).toBe(4000);
  });

  test("one more run fetches that run only, and hides nothing meanwhile", async () => {
    loader.want(wanted());
    await settle();
    await server.asked[0]?.answer();
    loader.want(wanted({ runIds: ["a", "b", "c"] }));
    await settle();
    expect(server.asked[1]?.request.runIds).toEqual(["c"]);
    expect(loader.stateOf("loss").state).toBe("ready");
  });

  test("scrolling to another panel fetches that metric only; back again fetches nothing", async () => {
    loader.want(wanted({ keys: ["loss"] }));
    await settle();
    await server.asked[0]?.answer();
    loader.want(wanted({ keys: ["acc"] }));
    await settle();
    await server.asked[1]?.answer();
    loader.want(wanted());
    await settle();
    expect(server.asked.map(({ request }) => request.keys)).toEqual([["loss"], ["acc"]]);
  });

  test("a metric that no run has is ready and empty", async () => {
    loader.want(wanted({ keys: ["nobody"] }));
    await settle();
    await server.asked[0]?.answer();
    expect(loader.stateOf("nobody")).toEqual({ state: "ready", problem: null });
    expect(loader.read("a", "nobody")).toBeNull();
  });
});

describe("a request that fails", () => {
  test("says why, and is tried again only when asked", async () => {
    loader.want(wanted());
    await settle();
    await server.asked[0]?.answer(new Error("The server is busy"));
    expect(loader.stateOf("loss")).toEqual({ state: "error", message: "The server is busy" });
    loader.want(wanted());
    await settle();
    expect(server.asked).toHaveLength(1);
    loader.retry("loss");
    await settle();
    expect(server.asked[1]?.request.keys).toEqual(["loss"]);
    await server.asked[1]?.answer();
    expect(loader.stateOf("loss").state).toBe("ready");
    expect(loader.stateOf("acc").state).toBe("error");
  });

  test("with other runs on screen it is a problem beside them", async () => {
    loader.want(wanted());
    await settle();
    await server.asked[0]?.answer();
    loader.want(wanted({ runIds: ["a", "b", "c"] }));
    await settle();
    await server.asked[1]?.answer(new Error("Gone"));
    expect(loader.stateOf("loss")).toEqual({ state: "ready", problem: "Gone" });
  });
});

describe("zooming", () => {
  beforeEach(async () => {
    loader.want(wanted());
    await settle();
    await server.asked[0]?.answer();
  });

  test("shows the overview at once, waits for rest, then shows the finer data", async () => {
    loader.want(wanted({ window: [1000, 1200] }));
    const coarse = loader.read("a", "loss")?.x.length;
    await settle(79);
    expect(server.asked).toHaveLength(1);
    await settle(1);
    expect(server.asked).toHaveLength(2);
    await server.asked[1]?.answer();
    expect(coarse).toBe(100);
    expect(loader.read("a", "loss")?.x.length).toBeGreaterThan(250);
  });

  test("a window that moves on takes the request before with it", async () => {
    loader.want(wanted({ window: [1000, 1200] }));
    await settle(100);
    loader.want(wanted({ window: [2000, 2050] }));
    await settle(100);
    expect(server.asked[1]?.signal.aborted).toBe(true);
    expect(server.asked[2]?.signal.aborted).toBe(false);
    await server.asked[1]?.answer();
    await server.asked[2]?.answer();
    const inside = [...(loader.read("a", "loss")?.x ?? [])].filter((x) => x >= 2000 && x <= 2050);
    expect(inside).toHaveLength(51);
  });

  test("zooming out asks for nothing", async () => {
    loader.want(wanted({ window: [1000, 1200] }));
    await settle(100);
    await server.asked[1]?.answer();
    loader.want(wanted());
    await settle(100);
    expect(server.asked).toHaveLength(2);
    expect(loader.read("a", "loss")?.x.length).toBe(100);
  });
});

describe("live runs", () => {
  test("a refresh fetches the changed run and keeps the old line until then", async () => {
    loader.want(wanted());
    await settle();
    await server.asked[0]?.answer();
    loader.refresh(["b"]);
    await settle();
    expect(server.asked[1]?.request.runIds).toEqual(["b"]);
    expect(loader.read("b", "loss")?.n).toBe(4000);
  });

  test("points that arrive while an answer is on its way are not lost", async () => {
    loader.want(wanted());
    await settle();
    await server.asked[0]?.answer();
    loader.refresh(["b"]);
    await settle();
    loader.refresh(["b"]);
    await settle();
    expect(server.asked).toHaveLength(2);
    await server.asked[1]?.answer();
    await settle();
    expect(server.asked[2]?.request.runIds).toEqual(["b"]);
  });
});

test("missing pairs become one block for each set of runs", () => {
  const missing = new Set(["a loss", "b loss", "a acc", "b acc", "b lr"]);
  expect(rectangles(["a", "b"], ["loss", "acc", "lr", "ok"], (run, key) => missing.has(`${run} ${key}`))).toEqual([
    { runIds: ["a", "b"], keys: ["loss", "acc"] },
    { runIds: ["b"], keys: ["lr"] },
  ]);
});

describe("a request that would be too large", () => {
  const names = (n: number, letter: string): string[] => Array.from({ length: n }, (_, i) => `${letter}${i}`);

  test("is cut into panels, and an ordinary page is not cut", () => {
    expect(requestBlocks([{ runIds: names(20, "r"), keys: names(20, "k") }], 600)).toHaveLength(1);
    const parts = requestBlocks([{ runIds: names(100, "r"), keys: names(20, "k") }], 400);
    expect(parts.length).toBeGreaterThan(1);
    for (const { runIds, keys } of parts) expect(runIds.length * keys.length * 400).toBeLessThanOrEqual(400_000);
    expect(parts.flatMap(({ keys }) => keys)).toEqual(names(20, "k"));
  });

  test("of very many runs is cut into runs, and loses none", () => {
    const parts = requestBlocks([{ runIds: names(2500, "r"), keys: ["loss"] }], 2000);
    expect(parts.flatMap(({ runIds }) => runIds)).toEqual(names(2500, "r"));
    for (const { runIds } of parts) expect(runIds.length * 2000).toBeLessThanOrEqual(400_000);
  });
});
