/** The signs of the app, drawn in the text colour. */
const PATHS = {
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM11 11l3 3",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5Z",
  share: "M8 10V2.5M5 5l3-3 3 3M3 9v4.5h10V9",
  group: "M2.5 3.5h11M5 8h8.5M5 12.5h8.5",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  sort: "M5 3v10M2.5 10.5 5 13l2.5-2.5M11 13V3M8.5 5.5 11 3l2.5 2.5",
  pin: "M6 2.5h4l-.5 4 2 2.5h-7l2-2.5zM8 9v4.5",
  down: "M4.5 6.5 8 10l3.5-3.5",
  up: "M4.5 9.5 8 6l3.5 3.5",
  right: "M6.5 4.5 10 8l-3.5 3.5",
  left: "M9.5 4.5 6 8l3.5 3.5",
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5 6.5 12 13 4.5",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  folder: "M2 4h4l1.5 2H14v7H2z",
  file: "M4 2h5.5L12 4.5V14H4zM9.5 2v2.5H12",
  download: "M8 2.5V10M5 7.5l3 3 3-3M3 11v2.5h10V11",
  undo: "M6 4 3 7l3 3M3 7h6.5a3.5 3.5 0 0 1 0 7H7",
  gear: "M2.5 5h7M12.5 5h1M2.5 11h1M6.5 11h7M11 6.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM5 12.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3Z",
  back: "M13 8H3M7 4 3 8l4 4",
  dots: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  bookmark: "M4.5 2.5h7v11L8 10.5l-3.5 3z",
  pencil: "M3 13l.6-2.8L11 2.8l2.2 2.2-7.4 7.4zM9.6 4.2l2.2 2.2",
  trash: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9M6.8 7v4M9.2 7v4",
  list: "M2.5 4h11M2.5 8h11M2.5 12h11",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 14 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} strokeWidth={name === "dots" ? 2 : undefined} />
    </svg>
  );
}

/** The mark: a dial, its gnomon, and the shadow. */
export function Mark({ size = 20 }: { readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
      <circle cx="10" cy="10" r="8.25" fill="none" stroke="currentColor" strokeWidth="1.4" />
      <path d="M10 10 16.2 13.6A7.2 7.2 0 0 1 13.6 16.2Z" fill="var(--accent)" />
      <path d="M10 10 5.2 4.4" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
      <path d="M10 2.6v1.6M10 15.8v1.6M2.6 10h1.6M15.8 10h1.6" stroke="currentColor" />
    </svg>
  );
}
