/** What belongs to the person: theme, density, colours, key; and about the server. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { meQuery } from "../../api/access";
import { versionQuery } from "../../api/server";
import { DENSITIES, PALETTES, setPreferences, THEMES, usePreferences, useTheme } from "../../lib/preferences";
import { colorOf, dashOf } from "../../charts/palette";
import { Loading } from "../../ui/Message";
import { Segmented } from "../../ui/Segmented";
import { AccessSections } from "./AccessSections";
import { AutomationSections } from "./AutomationSections";
import { AppBar } from "../shell/AppBar";
import { KeyList } from "../shell/KeyList";
import { useTitle } from "../shell/use-title";
import { QuotaSection } from "./QuotaSection";
import { StorageTable } from "./StorageTable";
import "./settings.css";

const THEME_LABELS = { system: "As the system", light: "Light", dark: "Dark" } as const;
const DENSITY_LABELS = { compact: "Compact", comfortable: "Comfortable" } as const;
const PALETTE_LABELS = { hues: "Twelve hues", patterns: "Six hues and dashes" } as const;

export function SettingsPage() {
  const { theme, density, palette } = usePreferences();
  useTitle("Settings");
  return (
    <div className="page">
      <AppBar crumb={<><i>/</i><span className="here">Settings</span></>} />
      <main className="settings thin-scroll">
        <div className="settings-column">
          <h1>Settings</h1>
          <p className="settings-note">Kept in this browser; they are not part of a link.</p>
          <section>
            <h2>Appearance</h2>
            <div className="setting">
              <span>Theme</span>
              <Segmented
                label="Theme"
                value={theme}
                choices={THEMES.map((value) => ({ value, label: THEME_LABELS[value] }))}
                onChange={(value) => setPreferences({ theme: value })}
              />
            </div>
            <div className="setting">
              <span>Rows</span>
              <Segmented
                label="Rows"
                value={density}
                choices={DENSITIES.map((value) => ({ value, label: DENSITY_LABELS[value] }))}
                onChange={(value) => setPreferences({ density: value })}
              />
            </div>
            <div className="setting">
              <span>Lines</span>
              <Segmented
                label="Lines"
                value={palette}
                choices={PALETTES.map((value) => ({ value, label: PALETTE_LABELS[value] }))}
                onChange={(value) => setPreferences({ palette: value })}
              />
            </div>
            <PalettePreview />
          </section>
          <KeySetting />
          <OfServer />
        </div>
      </main>
    </div>
  );
}

/** Once it is known who looks: what one may see decides what stands above the rest, and nothing is to move then. */
function OfServer() {
  const me = useQuery(meQuery);
  if (me.isPending) return <Loading label="Asking who you are" />;
  return (
    <>
      <QuotaSection />
      <AutomationSections />
      <AccessSections />
      <section>
        <h2>Keys</h2>
        <KeyList />
      </section>
      <About />
    </>
  );
}

/** The first lines as they would be drawn. */
function PalettePreview() {
  const theme = useTheme();
  const { palette } = usePreferences();
  return (
    <svg className="palette-preview" viewBox="0 0 360 60" aria-hidden="true">
      {Array.from({ length: 12 }, (_, slot) => (
        <path
          key={slot}
          d={`M${(slot % 6) * 60 + 4} ${slot < 6 ? 16 : 44}h48`}
          stroke={colorOf(slot, theme, palette)}
          strokeDasharray={dashOf(slot, palette).join(" ")}
          strokeWidth="2"
          fill="none"
        />
      ))}
    </svg>
  );
}

function KeySetting() {
  const { apiKey } = usePreferences();
  const [text, setText] = useState(apiKey);
  return (
    <section>
      <h2>API key</h2>
      <p className="settings-note">
        Needed when the server is secured. It is sent with every request of this page and kept in this browser until you
        remove it.
      </p>
      <form
        className="setting"
        onSubmit={(event) => {
          event.preventDefault();
          setPreferences({ apiKey: text.trim() });
        }}
      >
        <input
          className="field"
          type="password"
          autoComplete="off"
          aria-label="API key"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className="button" disabled={text.trim() === apiKey}>
          {text.trim() === "" && apiKey !== "" ? "Remove" : "Use"}
        </button>
      </form>
    </section>
  );
}

function About() {
  const version = useQuery(versionQuery);
  return (
    <section>
      <h2>About</h2>
      <dl className="about">
        <dt>Gnomon</dt>
        <dd>{version.data ?? (version.isError ? "the server does not say its version" : "")}</dd>
        <dt>Server</dt>
        <dd>{document.baseURI.replace(/\/$/, "")}</dd>
        <dt>API</dt>
        <dd>
          <a className="link" href="openapi.json">
            openapi.json
          </a>
        </dd>
        <dt>Licence</dt>
        <dd>Apache-2.0</dd>
      </dl>
      <StorageTable />
    </section>
  );
}
