/** At most `most` of the values, evenly, the first and the last among them. */
export function evenly<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  const chosen = new Set(Array.from({ length: most }, (_, i) => Math.round((i * (values.length - 1)) / (most - 1))));
  return values.filter((_, i) => chosen.has(i));
}
