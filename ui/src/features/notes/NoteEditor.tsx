/** A note to read, and to write. What is not saved yet is never lost to a failed request: it stays in the editor. */
import { useEffect, useState } from "react";
import { MOD } from "../../lib/keyboard";
import { Markdown } from "../../ui/Markdown";
import { Message } from "../../ui/Message";

interface Props {
  readonly title: string;
  readonly lead: string;
  readonly text: string;
  readonly onSave: (text: string) => Promise<void>;
}

export function NoteEditor({ title, lead, text, onSave }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const [isSaving, setIsSaving] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const isChanged = draft !== null && draft !== text;
  useEffect(() => {
    if (!isChanged) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isChanged]);

  const save = async (): Promise<void> => {
    if (draft === null) return;
    setIsSaving(true);
    setProblem(null);
    try {
      await onSave(draft.trimEnd());
      setDraft(null);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setIsSaving(false);
    }
  };
  return (
    <article className="note">
      <header>
        <h2>{title}</h2>
        {draft === null ? (
          <button type="button" className="button" onClick={() => setDraft(text)}>
            {text === "" ? "Write notes" : "Edit"}
          </button>
        ) : (
          <>
            <button type="button" className="button is-quiet" onClick={() => setDraft(null)}>
              {isChanged ? "Discard" : "Close"}
            </button>
            <button type="button" className="button is-primary" disabled={!isChanged || isSaving} onClick={() => void save()}>
              {isSaving ? "Saving" : "Save"}
            </button>
          </>
        )}
      </header>
      {lead !== "" && <p className="note-lead">{lead}</p>}
      {problem !== null && (
        <Message title="Not saved" tone="bad">
          {problem}
        </Message>
      )}
      {draft === null ? (
        text === "" ? (
          <p className="note-none">No notes yet. They are Markdown: headings, lists, tables, code, links.</p>
        ) : (
          <Markdown source={text} />
        )
      ) : (
        <>
          <textarea
            aria-label="Notes in Markdown"
            // The editor was asked for with this very press.
            // oxlint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            value={draft}
            onChange={(event) => setDraft(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) void save();
            }}
          />
          <p className="note-none">{MOD}Enter saves</p>
          {draft.trim() !== "" && (
            <section className="note-preview" aria-label="Preview">
              <Markdown source={draft} />
            </section>
          )}
        </>
      )}
    </article>
  );
}
