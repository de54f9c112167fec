/** Notes of an experiment and of a run: Markdown, kept in the tag that MLflow keeps its notes in. */
import { useQueryClient } from "@tanstack/react-query";
import { experimentKeys, patchExperiment, type Experiment } from "../../api/experiments";
import { patchRun, runKeys, type Run } from "../../api/runs";
import { NoteEditor } from "./NoteEditor";
import "./notes.css";

const NOTE_TAG = "mlflow.note.content";

export function ExperimentNotes({ experiment }: { readonly experiment: Experiment }) {
  const client = useQueryClient();
  const save = async (text: string): Promise<void> => {
    const changed = await patchExperiment(experiment.id, { tags: { [NOTE_TAG]: text === "" ? null : text } });
    client.setQueryData(experimentKeys.one(experiment.id), changed);
  };
  return (
    <div className="notes-page thin-scroll">
      <NoteEditor
        key={experiment.id}
        title={experiment.name}
        lead={experiment.description}
        text={experiment.tags[NOTE_TAG] ?? ""}
        onSave={save}
      />
    </div>
  );
}

export function RunNotes({ run }: { readonly run: Run }) {
  const client = useQueryClient();
  const save = async (text: string): Promise<void> => {
    const changed = await patchRun(run.id, { tags: { [NOTE_TAG]: text === "" ? null : text } });
    client.setQueryData(runKeys.one(run.id), changed);
  };
  return (
    <div className="notes-page thin-scroll">
      <NoteEditor key={run.id} title={run.name} lead={run.description} text={run.tags[NOTE_TAG] ?? ""} onSave={save} />
    </div>
  );
}
