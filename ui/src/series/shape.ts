/** Checked reading of parsed JSON: each function returns the value in its type or says what is wrong with it. */

export class ShapeError extends Error {}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function asObject(value: unknown): Record<string, unknown> {
  if (!isObject(value)) throw new ShapeError("expected an object in the answer");
  return value;
}

export function field(object: Record<string, unknown>, name: string): unknown {
  if (!(name in object)) throw new ShapeError(`the answer has no field ${name}`);
  return object[name];
}

export function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new ShapeError("expected a list in the answer");
  return value;
}

export function text(value: unknown): string {
  if (typeof value !== "string") throw new ShapeError("expected a text in the answer");
  return value;
}

export function number(value: unknown): number {
  if (typeof value !== "number") throw new ShapeError("expected a number in the answer");
  return value;
}

export function integer(value: unknown): number {
  const n = number(value);
  if (!Number.isSafeInteger(n) || n < 0) throw new ShapeError(`expected a count in the answer, found ${n}`);
  return n;
}

export function optionalNumber(value: unknown): number | null {
  return value === undefined || value === null ? null : number(value);
}

/** A double as the API writes it: a number, or one of three words for what JSON cannot say. */
export function double(value: unknown): number {
  if (value === null || value === "NaN") return Number.NaN;
  if (value === "Infinity") return Number.POSITIVE_INFINITY;
  if (value === "-Infinity") return Number.NEGATIVE_INFINITY;
  return number(value);
}
