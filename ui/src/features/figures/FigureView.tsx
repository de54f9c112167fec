/** A figure of plotly without plotly: its numbers are read and drawn here, so nothing that it says can run or ask for anything. */
import { useMemo } from "react";
import { colorOf } from "../../charts/palette";
import { usePreferences, useTheme } from "../../lib/preferences";
import { readFigure, type Figure } from "./figure";
import { FigurePlane } from "./FigurePlane";
import "./figures.css";

export function FigureView({ bytes }: { readonly bytes: ArrayBuffer }) {
  const figure = useMemo(() => figureOf(bytes), [bytes]);
  const theme = useTheme();
  const { palette } = usePreferences();
  if (figure === null) return <p className="figure-note">This is no figure of plotly that can be read.</p>;
  return (
    <div className="figure">
      {figure.title !== "" && <h3>{figure.title}</h3>}
      {figure.planes.map((plane, i) => (
        <div key={i}>
          <FigurePlane plane={plane} isStacked={figure.isStacked} theme={theme} palette={palette} />
          {plane.traces.some(({ name }) => name !== "") && plane.traces.length > 1 && (
            <ul className="figure-names">
              {plane.traces.map(({ name }, at) => (
                <li key={at}>
                  <i style={{ background: colorOf(at, theme, palette) }} />
                  {name === "" ? `trace ${at + 1}` : name}
                </li>
              ))}
            </ul>
          )}
        </div>
      ))}
      {figure.left.map((sentence) => (
        <p key={sentence} className="figure-note">
          {sentence}
        </p>
      ))}
    </div>
  );
}

/** Files are somebody's own and may be anything. */
function figureOf(bytes: ArrayBuffer): Figure | null {
  try {
    return readFigure(bytes);
  } catch {
    return null;
  }
}
