/** What can be done with an experiment as a whole. */
import { lazy, Suspense, useState } from "react";
import { useLocation } from "wouter";
import type { Experiment } from "../../api/experiments";
import { Icon } from "../../ui/Icon";
import { Menu, type MenuItem } from "../../ui/Menu";
import { useTenantHref } from "../../ui/tenant";
import { useManage } from "./use-manage";

const RenameDialog = lazy(async () => ({ default: (await import("./RenameDialog")).RenameDialog }));
const PurgeDialog = lazy(async () => ({ default: (await import("./PurgeDialog")).PurgeDialog }));
const ArchivedRuns = lazy(async () => ({ default: (await import("./ArchivedRuns")).ArchivedRuns }));

export function ExperimentActions({ experiment }: { readonly experiment: Experiment }) {
  const manage = useManage();
  const [open, setOpen] = useState<"rename" | "purge" | "archived" | null>(null);
  const [, navigate] = useLocation();
  const href = useTenantHref();
  const archivedRuns: MenuItem = { label: "Archived runs…", onSelect: () => setOpen("archived") };
  const items: MenuItem[] =
    experiment.lifecycle_stage === "deleted"
      ? [
          { label: "Restore", onSelect: () => manage.restoreExperiment(experiment) },
          archivedRuns,
          { label: "Delete for good…", onSelect: () => setOpen("purge") },
        ]
      : [
          { label: "Rename…", onSelect: () => setOpen("rename") },
          archivedRuns,
          { label: "Archive", onSelect: () => manage.archiveExperiment(experiment) },
        ];
  const close = (): void => setOpen(null);
  return (
    <>
      <Menu
        label="This experiment"
        button={<Icon name="dots" />}
        buttonLabel="Rename, archive or delete this experiment"
        buttonClass="icon-button crumb-actions"
        items={items}
      />
      <Suspense>
        {open === "rename" && (
          <RenameDialog what="experiment" name={experiment.name} onRename={(name) => manage.renameExperiment(experiment, name)} onClose={close} />
        )}
        {open === "archived" && <ArchivedRuns experimentId={experiment.id} onClose={close} />}
        {open === "purge" && (
          <PurgeDialog
            what="experiment"
            name={experiment.name}
            loses="all of its runs"
            onPurge={async () => {
              await manage.purgeExperiment(experiment);
              navigate(href("/"));
            }}
            onClose={close}
          />
        )}
      </Suspense>
    </>
  );
}
