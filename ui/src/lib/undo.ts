/**
 * What can be undone: the states before and after the present one. A change that follows another of the same
 * gesture within a moment joins it, so that dragging a slider is one step.
 */
const DEPTH = 200;
const SAME_GESTURE_MS = 700;

export class UndoStack<T> {
  private past: T[] = [];
  private future: T[] = [];
  private lastGesture: string | null = null;
  private lastAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A change is about to replace `before`; changes of the same `gesture` may join, those of none never do. */
  push(before: T, gesture: string | null): void {
    const at = this.now();
    const isSameGesture = gesture !== null && gesture === this.lastGesture && at - this.lastAt < SAME_GESTURE_MS;
    this.lastGesture = gesture;
    this.lastAt = at;
    this.future = [];
    if (isSameGesture) return;
    this.past.push(before);
    if (this.past.length > DEPTH) this.past.shift();
  }

  undo(present: T): T | null {
    return this.step(this.past, this.future, present);
  }

  redo(present: T): T | null {
    return this.step(this.future, this.past, present);
  }

  private step(from: T[], to: T[], present: T): T | null {
    const next = from.pop();
    if (next === undefined) return null;
    to.push(present);
    this.lastGesture = null;
    return next;
  }
}
