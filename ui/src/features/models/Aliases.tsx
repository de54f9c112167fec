export function Aliases({ aliases }: { readonly aliases: readonly string[] }) {
  return (
    <span className="models-aliases">
      {aliases.map((alias) => (
        <b key={alias} className="pill">
          {alias}
        </b>
      ))}
    </span>
  );
}
