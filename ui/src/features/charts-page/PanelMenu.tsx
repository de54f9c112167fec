/** What can be done with one panel. */
import type { ScaleChoice } from "../../charts/range";
import type { DownloadKind } from "../../charts/picture";
import { Icon } from "./icons";
import { Menu, type MenuItem } from "./Menu";

interface Props {
  readonly metric: string;
  readonly scale: ScaleChoice;
  readonly isWide: boolean;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly onScale: (scale: ScaleChoice) => void;
  readonly onWide: (isWide: boolean) => void;
  readonly onMove: (by: -1 | 1) => void;
  readonly onHide: () => void;
  readonly onEnlarge: () => void;
  readonly onTable: () => void;
  readonly onDownload: (kind: DownloadKind) => void;
}

const DOWNLOADS: readonly DownloadKind[] = ["png", "svg", "csv"];
const SCALES: readonly (readonly [ScaleChoice, string])[] = [
  ["auto", "Axis: automatic"],
  ["linear", "Axis: linear"],
  ["log", "Axis: logarithmic"],
];

export function PanelMenu(props: Props) {
  const items = (): MenuItem[] => [
    { label: "Enlarge", onSelect: props.onEnlarge },
    { label: "View as table", onSelect: props.onTable },
    ...SCALES.map(([scale, label], i) => ({
      label,
      isChecked: props.scale === scale,
      isFirstOfGroup: i === 0,
      onSelect: () => props.onScale(scale),
    })),
    ...DOWNLOADS.map((kind, i) => ({
      label: `Download ${kind.toUpperCase()}`,
      isFirstOfGroup: i === 0,
      onSelect: () => props.onDownload(kind),
    })),
    {
      label: props.isWide ? "Usual width" : "Full width",
      isFirstOfGroup: true,
      onSelect: () => props.onWide(!props.isWide),
    },
    { label: "Move earlier", isDisabled: props.isFirst, onSelect: () => props.onMove(-1) },
    { label: "Move later", isDisabled: props.isLast, onSelect: () => props.onMove(1) },
    { label: "Hide panel", isFirstOfGroup: true, onSelect: props.onHide },
  ];
  return <Menu className="panel-menu" label={`Options for ${props.metric}`} button={<Icon name="dots" />} items={items} />;
}
