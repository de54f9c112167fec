/** Formatters of the browser, each made when it is first used: to make one takes longer than to draw a panel. */

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/** Times, from milliseconds, as people here write them. */
export function dateFormat(options: Intl.DateTimeFormatOptions): (ms: number) => string {
  const format = once(() => new Intl.DateTimeFormat("en-GB", options));
  return (ms) => format().format(ms);
}

export function numberFormat(options: Intl.NumberFormatOptions): (value: number) => string {
  const format = once(() => new Intl.NumberFormat("en-US", options));
  return (value) => format().format(value);
}

const collator = once(() => new Intl.Collator("en", { numeric: true }));

/** The order of names in which `layer/2` comes before `layer/10`. */
export function naturalOrder(a: string, b: string): number {
  return collator().compare(a, b);
}
