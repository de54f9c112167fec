/** A sundial with its shadow: the sign of an empty page. */
const TICKS = Array.from({ length: 61 }, (_, i) => {
  const angle = Math.PI * (1 + i / 60);
  const isHour = i % 10 === 0;
  const inner = isHour ? 46 : i % 5 === 0 ? 51 : 54;
  const point = (radius: number): string =>
    `${(66 + radius * Math.cos(angle)).toFixed(2)} ${(62 + radius * Math.sin(angle)).toFixed(2)}`;
  return { path: `M${point(inner)}L${point(58)}`, isHour };
});

export function Dial() {
  return (
    <svg className="dial" width="132" height="68" viewBox="0 0 132 68" aria-hidden="true">
      {TICKS.map(({ path, isHour }) => (
        <path key={path} d={path} stroke={isHour ? "var(--ink-2)" : "var(--ink-4)"} strokeWidth="1.2" />
      ))}
      <path d="M66 62 100 32 104 38Z" fill="var(--accent)" opacity="0.9" />
      <path d="M66 62 48 22" stroke="var(--ink)" strokeWidth="2" strokeLinecap="round" />
    </svg>
  );
}
