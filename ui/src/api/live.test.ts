// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveLink, type LinkState, type LiveChange } from "./live";
import { forgetRevisions, noteRevision } from "./revisions";

/** The server's side of one stream. */
class Stream {
  private controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly headers: Headers;
  isLeft = false;

  constructor(init: RequestInit | undefined) {
    this.headers = new Headers(init?.headers);
    init?.signal?.addEventListener("abort", () => {
      this.isLeft = true;
      this.controller.error(init.signal?.reason);
    });
  }

  answer(): Response {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.controller = controller) });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  send(text: string): void {
    this.controller.enqueue(new TextEncoder().encode(text));
  }

  /** Events as the server writes them, and the id that ends a look. */
  tell(id: string, ...events: [string, unknown][]): void {
    const lines = events.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    this.send(`${lines.join("")}id: ${id}\n\n`);
  }

  end(): void {
    this.controller.close();
  }
}

let streams: Stream[];
let status: number;
let visibility: DocumentVisibilityState;

beforeEach(() => {
  forgetRevisions();
  vi.useFakeTimers();
  streams = [];
  status = 200;
  visibility = "visible";
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visibility);
  vi.stubGlobal("fetch", async (_address: string, init?: RequestInit) => {
    if (status === 0) throw new TypeError("connection refused");
    if (status !== 200) return Response.json({ detail: "no", code: "no" }, { status, headers: { "content-type": "application/problem+json" } });
    const stream = new Stream(init);
    streams.push(stream);
    return stream.answer();
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

interface Watched {
  readonly states: LinkState[];
  readonly changes: LiveChange[];
  readonly link: LiveLink;
  readonly stream: Stream;
}

/** An answer of the experiment's comes that was asked for a while ago. */
function read(id: string, ago = 0): void {
  noteRevision("api/v1/experiments/e/keys?limit=1", new Response("", { headers: { "gnomon-revision": id } }), performance.now() - ago);
}

async function watch(first = "a-0"): Promise<Watched> {
  const states: LinkState[] = [];
  const changes: LiveChange[] = [];
  const link = new LiveLink("e", { onState: (state) => states.push(state), onChange: (change) => changes.push(change) });
  read(first);
  await pass(0);
  const stream = latest();
  stream.send("retry: 2000\n");
  stream.tell("a-1", ["experiment", { running: 1 }]);
  await pass(0);
  return { states, changes, link, stream };
}

function latest(): Stream {
  const stream = streams.at(-1);
  if (stream === undefined) throw new Error("nothing was asked for");
  return stream;
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

async function show(next: DocumentVisibilityState): Promise<void> {
  visibility = next;
  document.dispatchEvent(new Event("visibilitychange"));
  await pass(0);
}

test("the link is live as soon as the server says how things stand", async () => {
  const { states, changes, link } = await watch();
  expect(states).toEqual([{ kind: "live", running: 1 }]);
  expect(changes).toEqual([]);
  link.close();
});

test("new values are a change of their run alone; a run that began or ended makes the list stale", async () => {
  const { changes, link, stream } = await watch();
  stream.tell("a-2", ["metrics", { run_id: "r1", metrics: [] }], ["metrics", { run_id: "r2", metrics: [] }]);
  await pass(0);
  expect(changes).toEqual([{ changed: ["r1", "r2"], isListStale: false }]);
  stream.tell("a-3", ["run", { id: "r3" }], ["metrics", { run_id: "r3", metrics: [] }]);
  await pass(1_000);
  expect(changes.at(-1)).toEqual({ changed: ["r3"], isListStale: true });
  link.close();
});

test("metrics that took points are named, so that a new one is asked for at once", async () => {
  const named: string[][] = [];
  const link = new LiveLink("e", { onState: () => undefined, onChange: () => undefined, onMetrics: (keys) => named.push([...keys]) });
  read("a-0");
  await pass(0);
  latest().tell("a-2", ["metrics", { run_id: "r1", metrics: [{ key: "loss", n: 1 }, { key: "acc", n: 1 }] }]);
  await pass(0);
  expect(named).toEqual([["loss", "acc"]]);
  link.close();
});

test("the page hears at once, and then at most once a second", async () => {
  const { changes, link, stream } = await watch();
  for (let i = 2; i < 10; i++) {
    stream.tell(`a-${i}`, ["metrics", { run_id: `r${i}`, metrics: [] }]);
    await pass(250);
  }
  expect(changes.map((change) => change.changed)).toEqual([["r2"], ["r3", "r4", "r5"], ["r6", "r7", "r8", "r9"]]);
  await pass(5_000);
  expect(changes).toHaveLength(3);
  link.close();
});

test("a reset makes everything stale", async () => {
  const { changes, link, stream } = await watch();
  stream.tell("a-2", ["reset", { reason: "behind" }], ["experiment", { running: 0 }]);
  await pass(0);
  expect(changes).toEqual([{ changed: null, isListStale: true }]);
  link.close();
});

test("events may come in any pieces, and unknown ones are passed over", async () => {
  const { changes, link, stream } = await watch();
  for (const piece of ['event: met', 'rics\ndata: {"run_id":', '"r1","metrics":[]}\n', "\n: still here\n\nevent: la", "ter\ndata: 1\n\n"]) {
    stream.send(piece);
    await pass(0);
  }
  expect(changes).toEqual([{ changed: ["r1"], isListStale: false }]);
  link.close();
});

test("a lost link is said, tried again ever more slowly, and goes on where it was", async () => {
  const { states, link, stream } = await watch();
  stream.tell("a-7", ["metrics", { run_id: "r1", metrics: [] }]);
  await pass(0);
  stream.end();
  status = 0;
  await pass(0);
  expect(states.at(-1)?.kind).toBe("lost");
  const lost = states.length;
  await pass(2_000 + 4_000 + 8_000);
  expect(states.length - lost).toBe(3);
  status = 200;
  link.retry();
  await pass(0);
  expect(latest().headers.get("last-event-id")).toBe("a-7");
  latest().tell("b-1", ["experiment", { running: 2 }]);
  await pass(0);
  expect(states.at(-1)).toEqual({ kind: "live", running: 2 });
  link.close();
});

test("a link that has gone silent is a lost one; a comment now and then keeps it", async () => {
  const { states, link, stream } = await watch();
  for (let i = 0; i < 6; i++) {
    await pass(15_000);
    stream.send(": still here\n\n");
  }
  await pass(0);
  expect(states.map((state) => state.kind)).toEqual(["live"]);
  await pass(40_000);
  expect(states.at(-1)?.kind).toBe("lost");
  link.close();
});

test("a hidden page lets its stream go and takes it up where it was", async () => {
  const { states, link, stream } = await watch();
  await show("hidden");
  await pass(1_000);
  await show("visible");
  expect([stream.isLeft, streams.length]).toEqual([false, 1]);
  await show("hidden");
  await pass(60_000);
  expect([stream.isLeft, streams.length]).toEqual([true, 1]);
  await show("visible");
  expect(latest().headers.get("last-event-id")).toBe("a-1");
  expect(states.map((state) => state.kind)).toEqual(["live"]);
  link.close();
});

test("what the server refuses is not asked again", async () => {
  status = 404;
  const states: LinkState[] = [];
  const link = new LiveLink("e", { onState: (state) => states.push(state), onChange: () => undefined });
  await pass(60_000);
  expect([states, streams]).toEqual([[], []]);
  link.close();
});

test("a closed link is silent and holds no stream", async () => {
  const { states, changes, link, stream } = await watch();
  stream.tell("a-2", ["metrics", { run_id: "r1", metrics: [] }]);
  link.close();
  await pass(100_000);
  expect([states.length, changes.length, stream.isLeft, streams.length]).toEqual([1, 0, true, 1]);
});

test("the stream begins where the first answer stood, so that nothing falls between the two", async () => {
  const changes: LiveChange[] = [];
  const link = new LiveLink("e", { onState: () => undefined, onChange: (change) => changes.push(change) });
  await pass(500);
  expect(streams).toEqual([]);
  read("a-7");
  await pass(0);
  expect(latest().headers.get("last-event-id")).toBe("a-7");
  latest().tell("a-9", ["experiment", { running: 1 }], ["run", { id: "r" }]);
  await pass(0);
  expect(changes).toEqual([{ changed: ["r"], isListStale: true }]);
  link.close();
});

test("without an answer it begins with the present, and what was read before is read again", async () => {
  const changes: LiveChange[] = [];
  const link = new LiveLink("e", { onState: () => undefined, onChange: (change) => changes.push(change) });
  await pass(2_000);
  expect(latest().headers.get("last-event-id")).toBeNull();
  read("a-7");
  latest().tell("a-9", ["experiment", { running: 1 }]);
  await pass(0);
  expect(changes).toEqual([{ changed: null, isListStale: true }]);
  link.close();
});

test.each([
  ["lower", "a-2", 2_000, true],
  ["of another process", "b-9", 2_000, true],
  ["as high", "a-7", 2_000, false],
  ["higher", "a-8", 2_000, false],
  ["of another process, but asked for since", "b-9", 0, false],
])("a late answer that stood %s", async (_what, id, ago, isReadAgain) => {
  const changes: LiveChange[] = [];
  const link = new LiveLink("e", { onState: () => undefined, onChange: (change) => changes.push(change) });
  read("a-7");
  await pass(0);
  latest().tell("a-7", ["experiment", { running: 1 }]);
  await pass(1_000);
  read(id, ago);
  await pass(0);
  expect(changes).toEqual(isReadAgain ? [{ changed: null, isListStale: true }] : []);
  link.close();
});

test("who comes back is told what changed meanwhile, and what was told but not yet shown", async () => {
  const { link, stream } = await watch();
  stream.tell("a-5", ["experiment", { running: 1 }]);
  await pass(0);
  link.close();
  const next = await watch("a-9");
  expect(next.stream.headers.get("last-event-id")).toBe("a-5");
  next.stream.tell("a-6", ["metrics", { run_id: "r", metrics: [] }]);
  await pass(0);
  next.stream.tell("a-7", ["metrics", { run_id: "r", metrics: [] }]); // within the pace: gathered, not told
  await pass(0);
  next.link.close();
  const last = await watch("a-9");
  expect(last.stream.headers.get("last-event-id")).toBe("a-5");
  last.link.close();
});
