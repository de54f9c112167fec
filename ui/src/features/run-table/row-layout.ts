/**
 * Where each row of the table lies: groups one after another, each a heading and its runs, or simply all runs. Runs are
 * not here, only their numbers, so a table of any length costs as much as its groups.
 */
export interface Section {
  /** Runs of the group. */
  readonly n: number;
  readonly isFolded: boolean;
}

export type RowRef =
  | { readonly kind: "group"; readonly section: number }
  | { readonly kind: "run"; readonly section: number; readonly index: number };

export class RowLayout {
  readonly count: number;
  private readonly starts: number[] = [];

  /** `hasHeadings`: each section begins with a row of its own. */
  constructor(
    sections: readonly Section[],
    private readonly hasHeadings: boolean,
  ) {
    let at = 0;
    for (const section of sections) {
      this.starts.push(at);
      at += (hasHeadings ? 1 : 0) + (section.isFolded ? 0 : section.n);
    }
    this.count = at;
  }

  rowAt(i: number): RowRef | null {
    if (i < 0 || i >= this.count) return null;
    let lo = 0;
    let hi = this.starts.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if ((this.starts[mid] ?? 0) <= i) lo = mid;
      else hi = mid - 1;
    }
    const within = i - (this.starts[lo] ?? 0);
    if (!this.hasHeadings) return { kind: "run", section: lo, index: within };
    return within === 0 ? { kind: "group", section: lo } : { kind: "run", section: lo, index: within - 1 };
  }

  /** The pages of runs that the rows from..to need. */
  pagesOf(from: number, to: number, pageRows: number): { section: number; page: number }[] {
    const pages = new Map<string, { section: number; page: number }>();
    for (let i = Math.max(0, from); i <= Math.min(to, this.count - 1); i++) {
      const row = this.rowAt(i);
      if (row === null || row.kind === "group") continue;
      const page = Math.floor(row.index / pageRows);
      pages.set(`${row.section}:${page}`, { section: row.section, page });
    }
    return [...pages.values()];
  }
}

/** Which columns are in sight: indices from first to last, and the widths before the first. */
export function columnWindow(
  widths: readonly number[],
  scrollLeft: number,
  viewWidth: number,
): { readonly first: number; readonly last: number; readonly before: number } {
  let left = 0;
  let first = 0;
  while (first < widths.length - 1 && left + (widths[first] ?? 0) <= scrollLeft) {
    left += widths[first] ?? 0;
    first++;
  }
  let last = first;
  let right = left + (widths[first] ?? 0);
  while (last < widths.length - 1 && right < scrollLeft + viewWidth) {
    last++;
    right += widths[last] ?? 0;
  }
  return { first, last: widths.length === 0 ? -1 : last, before: left };
}
