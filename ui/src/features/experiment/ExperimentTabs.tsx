/** The tabs of an experiment: links, so that each opens in a new window as well, and the keys 1 to 7. */
import { useLocation, useSearch } from "wouter";
import { useKeys } from "../../lib/keyboard";
import { Link } from "../../ui/Link";
import { TAB_LABELS, TABS, tabPath, type Tab } from "./tabs";

interface Props {
  readonly experimentId: string;
  readonly tab: Tab;
  readonly shownCount: number;
}

export function ExperimentTabs({ experimentId, tab, shownCount }: Props) {
  const search = useSearch();
  const [, navigate] = useLocation();
  const suffix = search === "" ? "" : `?${search}`;
  const go = (to: Tab | undefined): void => {
    if (to !== undefined) navigate(tabPath(experimentId, to) + suffix);
  };
  useKeys({
    ...Object.fromEntries(TABS.map((one, i) => [String(i + 1), () => go(one)])),
    c: () => go("compare"),
  });
  return (
    <nav className="tabs" aria-label="Views of the experiment">
      {TABS.map((one) => (
        <Link key={one} to={tabPath(experimentId, one) + suffix} aria-current={one === tab ? "page" : undefined}>
          {TAB_LABELS[one]}
          {one === "compare" && shownCount > 0 && <kbd>{shownCount}</kbd>}
        </Link>
      ))}
    </nav>
  );
}
