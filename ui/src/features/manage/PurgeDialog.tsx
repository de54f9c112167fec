/** There is no way back from this, so the name has to be typed. */
import { useState } from "react";
import { Dialog } from "../../ui/Dialog";
import "./manage.css";

interface Props {
  readonly what: string;
  readonly name: string;
  /** What goes with it. */
  readonly loses: string;
  readonly onPurge: () => Promise<void>;
  readonly onClose: () => void;
}

export function PurgeDialog({ what, name, loses, onPurge, onClose }: Props) {
  const [text, setText] = useState("");
  const [state, setState] = useState<{ readonly isBusy: boolean; readonly problem: string | null }>({ isBusy: false, problem: null });
  const purge = async (): Promise<void> => {
    setState({ isBusy: true, problem: null });
    try {
      await onPurge();
      onClose();
    } catch (error) {
      setState({ isBusy: false, problem: error instanceof Error ? error.message : String(error) });
    }
  };
  return (
    <Dialog label={`Delete this ${what} for good`} onClose={onClose} className="manage-dialog">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void purge();
        }}
      >
        <p>
          <b>{name}</b> goes with {loses}. Nothing can bring it back. Type its name to go on.
        </p>
        <input
          className="field"
          data-autofocus
          aria-label={`Name of the ${what}`}
          autoComplete="off"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <p className="manage-problem" role="alert">
          {state.problem}
        </p>
        <div className="manage-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button is-danger" disabled={text !== name || state.isBusy}>
            {state.isBusy ? "Deleting" : "Delete for good"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
