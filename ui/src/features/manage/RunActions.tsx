/** What can be done with a run as a whole. */
import { lazy, Suspense, useState } from "react";
import { useLocation } from "wouter";
import type { Run } from "../../api/runs";
import { Icon } from "../../ui/Icon";
import { Menu, type MenuItem } from "../../ui/Menu";
import { useTenantHref } from "../../ui/tenant";
import { useManage } from "./use-manage";

const RenameDialog = lazy(async () => ({ default: (await import("./RenameDialog")).RenameDialog }));
const PurgeDialog = lazy(async () => ({ default: (await import("./PurgeDialog")).PurgeDialog }));

export function RunActions({ run }: { readonly run: Run }) {
  const manage = useManage();
  const [open, setOpen] = useState<"rename" | "purge" | null>(null);
  const [, navigate] = useLocation();
  const href = useTenantHref();
  const isArchived = run.lifecycle_stage === "deleted";
  const items: MenuItem[] = isArchived
    ? [
        { label: "Restore", onSelect: () => manage.restoreRun(run) },
        { label: "Delete for good…", onSelect: () => setOpen("purge") },
      ]
    : [
        { label: "Rename…", onSelect: () => setOpen("rename") },
        { label: "Archive", onSelect: () => manage.archiveRun(run) },
      ];
  const close = (): void => setOpen(null);
  return (
    <>
      <Menu label="This run" button={<Icon name="dots" />} buttonLabel="Rename, archive or delete this run" buttonClass="icon-button" items={items} />
      <Suspense>
        {open === "rename" && <RenameDialog what="run" name={run.name} onRename={(name) => manage.renameRun(run, name)} onClose={close} />}
        {open === "purge" && (
          <PurgeDialog
            what="run"
            name={run.name}
            loses="its points, params, tags and artifacts"
            onPurge={async () => {
              await manage.purgeRun(run);
              navigate(href(`/e/${run.experiment_id}`));
            }}
            onClose={close}
          />
        )}
      </Suspense>
    </>
  );
}
