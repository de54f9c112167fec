/**
 * Spreads the drawing of many panels over frames, so that a page of them never holds up the pointer: as many panels a frame
 * as frames have lately had time for. Drawing is measured by the distance of frames and not by a clock around it, because
 * a canvas is often painted after the script is done.
 */

/** A frame of 60 Hz, with some slack. */
const GOOD_FRAME_MS = 19;
const LATE_FRAME_MS = 26;
const FIRST_QUOTA = 4;
const MOST_QUOTA = 32;

export class FrameQueue {
  private readonly waiting = new Set<() => void>();
  private frame: number | null = null;
  private quota = FIRST_QUOTA;
  private lastFrameAt: number | null = null;

  /** A job that waits already keeps its place. */
  add(job: () => void): void {
    this.waiting.add(job);
    this.frame ??= requestAnimationFrame(this.run);
  }

  get isIdle(): boolean {
    return this.waiting.size === 0;
  }

  remove(job: () => void): void {
    this.waiting.delete(job);
  }

  private readonly run = (now: number): void => {
    this.frame = null;
    this.adapt(now);
    let left = this.quota;
    for (const job of this.waiting) {
      if (left-- === 0) break;
      this.waiting.delete(job);
      job();
    }
    // Jobs that were added meanwhile have asked for a frame of their own.
    if (this.waiting.size > 0) this.frame ??= requestAnimationFrame(this.run);
    this.lastFrameAt = this.frame === null ? null : now;
  };

  private adapt(now: number): void {
    if (this.lastFrameAt === null) return;
    const took = now - this.lastFrameAt;
    if (took > LATE_FRAME_MS) this.quota = Math.max(1, Math.ceil(this.quota / 2));
    else if (took < GOOD_FRAME_MS) this.quota = Math.min(MOST_QUOTA, this.quota + 1);
  }
}
