import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FrameQueue } from "./frame-queue";

let frames: ((now: number) => void)[] = [];
let now = 0;

beforeEach(() => {
  frames = [];
  now = 0;
  vi.stubGlobal("requestAnimationFrame", (callback: (time: number) => void) => frames.push(callback));
});
afterEach(() => vi.unstubAllGlobals());

function nextFrame(tookMs: number): void {
  now += tookMs;
  for (const callback of frames.splice(0)) callback(now);
}

test("a job asked for twice runs once", () => {
  const queue = new FrameQueue();
  const job = vi.fn();
  queue.add(job);
  queue.add(job);
  nextFrame(16);
  expect(job).toHaveBeenCalledTimes(1);
  expect(frames).toHaveLength(0);
});

test("a page of panels is spread over frames, in order, and all of it is drawn", () => {
  const queue = new FrameQueue();
  const drawn: number[] = [];
  for (let i = 0; i < 20; i++) queue.add(() => drawn.push(i));
  nextFrame(16);
  expect(drawn.length).toBeLessThan(20);
  for (let k = 0; k < 20; k++) nextFrame(16);
  expect(drawn).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

test("late frames lower the number of panels a frame, good ones raise it", () => {
  const queue = new FrameQueue();
  let drawn = 0;
  const perFrame = (tookMs: number): number => {
    const before = drawn;
    nextFrame(tookMs);
    return drawn - before;
  };
  for (let i = 0; i < 1000; i++) queue.add(() => (drawn += 1));
  perFrame(16);
  for (let k = 0; k < 6; k++) perFrame(80);
  expect(perFrame(80)).toBe(1);
  for (let k = 0; k < 8; k++) perFrame(16);
  expect(perFrame(16)).toBeGreaterThan(6);
});

test("a job that is added while drawing gets its frame", () => {
  const queue = new FrameQueue();
  const later = vi.fn();
  queue.add(() => queue.add(later));
  nextFrame(16);
  nextFrame(16);
  expect(later).toHaveBeenCalledTimes(1);
});

test("a removed job does not run", () => {
  const queue = new FrameQueue();
  const job = vi.fn();
  queue.add(job);
  queue.remove(job);
  nextFrame(16);
  expect(job).not.toHaveBeenCalled();
});
