/** Another name for a run or an experiment. */
import { useState } from "react";
import { Dialog } from "../../ui/Dialog";
import "./manage.css";

interface Props {
  readonly what: string;
  readonly name: string;
  readonly onRename: (name: string) => Promise<void>;
  readonly onClose: () => void;
}

export function RenameDialog({ what, name, onRename, onClose }: Props) {
  const [text, setText] = useState(name);
  const [problem, setProblem] = useState<string | null>(null);
  const rename = async (): Promise<void> => {
    try {
      await onRename(text.trim());
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Dialog label={`Rename this ${what}`} onClose={onClose} className="manage-dialog">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void rename();
        }}
      >
        <input
          className="field"
          data-autofocus
          aria-label="Name"
          autoComplete="off"
          value={text}
          onFocus={(event) => event.currentTarget.select()}
          onChange={(event) => setText(event.target.value)}
        />
        <p className="manage-problem" role="alert">
          {problem}
        </p>
        <div className="manage-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button is-primary" disabled={text.trim() === "" || text.trim() === name}>
            Rename
          </button>
        </div>
      </form>
    </Dialog>
  );
}
