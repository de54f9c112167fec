/** The colours a canvas needs, read once from the tokens of the page, because a canvas does not know CSS variables. */
import { colorOf, dashOf, type PaletteMode, type Theme } from "./palette";

export interface PlotStyle {
  readonly theme: Theme;
  readonly mode: PaletteMode;
  readonly surface: string;
  readonly ink: string;
  readonly axis: string;
  readonly grid: string;
  readonly bad: string;
  readonly accent: string;
  readonly family: string;
}

export function readPlotStyle(theme: Theme, mode: PaletteMode): PlotStyle {
  const tokens = getComputedStyle(document.documentElement);
  const token = (name: string, otherwise: string): string => tokens.getPropertyValue(name).trim() || otherwise;
  const isLight = theme === "light";
  return {
    theme,
    mode,
    surface: token("--surface", isLight ? "#fcfcfb" : "#151918"),
    ink: token("--ink", isLight ? "#181c1a" : "#e8ece9"),
    axis: token("--ink-3", isLight ? "#656d68" : "#8a948e"),
    grid: token("--grid", isLight ? "#eaedea" : "#212725"),
    bad: token("--bad", isLight ? "#b3261e" : "#ff8379"),
    accent: token("--accent", isLight ? "#0a6e5d" : "#58c7ad"),
    family: token("--ui", "system-ui, sans-serif"),
  };
}

export function lineColor(style: PlotStyle, slot: number): string {
  return colorOf(slot, style.theme, style.mode);
}

export function lineDash(style: PlotStyle, slot: number): number[] {
  return [...dashOf(slot, style.mode)];
}
