/** The name of the experiment, which opens the list of the others. */
import { useQuery } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { experimentsQuery, type Experiment } from "../../api/experiments";
import { lastView } from "../../lib/recent";
import { Icon } from "../../ui/Icon";
import { Menu } from "../../ui/Menu";
import { useTenantHref } from "../../ui/tenant";
import { ExperimentActions } from "../manage/ExperimentActions";

const MOST = 30;

export function ExperimentCrumb({ id, experiment }: { readonly id: string; readonly experiment: Experiment | undefined }) {
  const [, navigate] = useLocation();
  const href = useTenantHref();
  const others = useQuery(experimentsQuery({ search: "", stage: "active", limit: MOST }));
  return (
    <>
      <i>/</i>
      <Menu
        label="Experiments"
        buttonLabel={`Experiment ${experiment?.name ?? id}: switch`}
        buttonClass="here"
        button={
          <>
            <span>{experiment?.name ?? "…"}</span>
            {experiment?.lifecycle_stage === "deleted" && <em className="pill">archived</em>}
            <Icon name="down" size={12} />
          </>
        }
        empty="No other experiment"
        items={(others.data?.experiments ?? []).map((one) => ({
          label: one.name,
          hint: String(one.run_count),
          isChecked: one.id === id,
          onSelect: () => {
            const last = lastView(one.id);
            navigate(href(`/e/${one.id}${last === "" ? "" : `?${last}`}`));
          },
        }))}
      />
      {experiment !== undefined && <ExperimentActions experiment={experiment} />}
    </>
  );
}
