/**
 * Answers of the server are read with these before anything else sees them: a wrong shape is an error that names the
 * place, never an `undefined` three components later.
 */
export type Read<T> = (value: unknown, place: string) => T;

export class ShapeError extends Error {
  constructor(place: string, wanted: string, value: unknown) {
    super(`The server's answer is not what this page expects: ${place || "it"} should be ${wanted}, not ${kindOf(value)}`);
    this.name = "ShapeError";
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : typeof value;
}

export const text: Read<string> = (value, place) => {
  if (typeof value !== "string") throw new ShapeError(place, "text", value);
  return value;
};

export const integer: Read<number> = (value, place) => {
  if (typeof value !== "number") throw new ShapeError(place, "a number", value);
  return value;
};

export const flag: Read<boolean> = (value, place) => {
  if (typeof value !== "boolean") throw new ShapeError(place, "true or false", value);
  return value;
};

const NON_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/** A double: JSON cannot say NaN and the infinities, so they come as words. */
export const double: Read<number> = (value, place) => {
  const found = typeof value === "string" ? NON_FINITE[value] : value;
  if (typeof found !== "number") throw new ShapeError(place, "a number", value);
  return found;
};

export function nullable<T>(read: Read<T>): Read<T | null> {
  return (value, place) => (value === null || value === undefined ? null : read(value, place));
}

export function list<T>(read: Read<T>): Read<T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw new ShapeError(place, "a list", value);
    return value.map((item: unknown, i) => read(item, `${place}[${i}]`));
  };
}

export function record<T>(read: Read<T>): Read<Record<string, T>> {
  return (value, place) => {
    const entries = Object.entries(plainObject(value, place));
    return Object.fromEntries(entries.map(([key, item]) => [key, read(item, `${place}.${key}`)]));
  };
}

export function word<T extends string>(...words: readonly T[]): Read<T> {
  return (value, place) => {
    const found = words.find((known) => known === value);
    if (found === undefined) throw new ShapeError(place, words.join(" or "), value);
    return found;
  };
}

export function object<T extends object>(fields: { readonly [K in keyof T]-?: Read<T[K]> }): Read<T> {
  const readers: [string, Read<unknown>][] = Object.entries(fields);
  return (value, place) => {
    const given = plainObject(value, place);
    const read: unknown[][] = readers.map(([name, reader]) => [name, reader(given[name], place ? `${place}.${name}` : name)]);
    // Each field was read by its own reader, so the whole is a T; the compiler cannot follow a mapped type that far.
    const whole: T = Object.fromEntries(read);
    return whole;
  };
}

export function plainObject(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ShapeError(place, "an object", value);
  return Object.fromEntries(Object.entries(value));
}
