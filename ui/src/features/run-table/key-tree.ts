/** Keys as a tree by their slashes: `val/loss` lies in `val`. */
import { naturalOrder } from "../../lib/intl";
export interface Branch {
  readonly name: string;
  readonly path: string;
  readonly branches: readonly Branch[];
  /** Full keys that end here. */
  readonly leaves: readonly string[];
}


export function keyTree(keys: readonly string[]): Branch {
  return grow("", "", [...keys].sort(naturalOrder));
}

function grow(name: string, path: string, keys: readonly string[]): Branch {
  const leaves: string[] = [];
  const inner = new Map<string, string[]>();
  for (const key of keys) {
    const slash = key.indexOf("/", path.length);
    if (slash <= path.length && slash !== path.length) leaves.push(key);
    else {
      const branch = key.slice(path.length, slash);
      const list = inner.get(branch);
      if (list === undefined) inner.set(branch, [key]);
      else list.push(key);
    }
  }
  const branches = [...inner].map(([branch, list]) => grow(branch, `${path}${branch}/`, list));
  return { name, path, branches, leaves };
}

export function leafName(key: string, branch: Branch): string {
  return key.slice(branch.path.length) || key;
}

export function countLeaves(branch: Branch): number {
  return branch.leaves.length + branch.branches.reduce((sum, inner) => sum + countLeaves(inner), 0);
}

export function matching(keys: readonly string[], search: string): string[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return keys.filter((key) => words.every((word) => key.toLowerCase().includes(word)));
}
