/** The bar on top of every page: where one is, the page's own tabs, search, link, theme. */
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useKeys, MOD } from "../../lib/keyboard";
import { setPreferences, useTheme } from "../../lib/preferences";
import { CopyButton } from "../../ui/CopyButton";
import { Icon, Mark } from "../../ui/Icon";
import { Link } from "../../ui/Link";
import { Person } from "./Person";
import { TenantSwitch } from "./TenantSwitch";
import "./shell.css";

// What opens over a page comes when it is first opened.
const CommandBar = lazy(async () => ({ default: (await import("./CommandBar")).CommandBar }));
const KeySheet = lazy(async () => ({ default: (await import("./KeySheet")).KeySheet }));

interface Props {
  /** What follows the brand: where one is. */
  readonly crumb?: ReactNode;
  readonly tabs?: ReactNode;
  readonly status?: ReactNode;
  /** The address that shows what is seen now; else the address of the page. */
  readonly link?: () => string;
}

export function AppBar({ crumb, tabs, status, link }: Props) {
  const theme = useTheme();
  const [open, setOpen] = useState<"command" | "keys" | null>(null);
  const flip = (): void => setPreferences({ theme: theme === "light" ? "dark" : "light" });
  useKeys({
    "Mod+k": () => setOpen("command"),
    "?": () => setOpen("keys"),
    d: flip,
  });
  return (
    <header className="app-bar">
      <Link className="brand" to="/" aria-label="Gnomon: home">
        <Mark />
        <span>Gnomon</span>
      </Link>
      <div className="crumb">
        <TenantSwitch />
        {crumb}
      </div>
      {tabs}
      <span className="grow" />
      {status}
      <button type="button" className="jump" title="Jump to an experiment, run or action" onClick={() => setOpen("command")}>
        <Icon name="search" />
        <span>Jump to</span>
        <kbd aria-hidden="true">{MOD}K</kbd>
      </button>
      <div className="app-tools">
        <CopyButton
          className="icon-button"
          label="Copy link to this view"
          text={link ?? (() => window.location.href)}
          done={<Icon name="check" />}
        >
          <Icon name="share" />
        </CopyButton>
        <button
          type="button"
          className="icon-button"
          aria-label={theme === "light" ? "Use dark theme" : "Use light theme"}
          title={theme === "light" ? "Dark theme (D)" : "Light theme (D)"}
          onClick={flip}
        >
          <Icon name={theme === "light" ? "moon" : "sun"} />
        </button>
        <Link className="icon-button" to="/settings" aria-label="Settings" title="Settings">
          <Icon name="gear" />
        </Link>
        <Person />
      </div>
      <Suspense fallback={null}>
        {open === "command" && <CommandBar onClose={() => setOpen(null)} onKeys={() => setOpen("keys")} />}
        {open === "keys" && <KeySheet onClose={() => setOpen(null)} />}
      </Suspense>
    </header>
  );
}
