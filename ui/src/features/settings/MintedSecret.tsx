/** A secret that was just made: shown once, to be copied. */
import type { ReactNode } from "react";
import { CopyButton } from "../../ui/CopyButton";

interface Props {
  /** What the secret is, said to a person; it is shown this once. */
  readonly children: ReactNode;
  readonly label: string;
  readonly secret: string;
  readonly onDone: () => void;
}

export function MintedSecret({ children, label, secret, onDone }: Props) {
  return (
    <div className="minted" role="status">
      <p>{children}</p>
      <div className="minted-row">
        <code className="break">{secret}</code>
        <CopyButton className="button" label={label} text={() => secret}>
          Copy
        </CopyButton>
        <button type="button" className="button" onClick={onDone}>
          Done
        </button>
      </div>
    </div>
  );
}
