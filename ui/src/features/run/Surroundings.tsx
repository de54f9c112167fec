/** Code and environment: what the run was made with, as its client found it when the run began. */
import { useQuery } from "@tanstack/react-query";
import { artifactsQuery, artifactTextQuery } from "../../api/artifacts";
import type { Run } from "../../api/runs";
import { withSearch } from "../../lib/search-params";
import { packagesOf, surroundingsOf } from "../../lib/surroundings";
import { CopyButton } from "../../ui/CopyButton";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/Link";
import { detailsOf } from "./environment";
import { runTabPath } from "./tabs";

/** Files that a client of ours leaves with a run. */
const FILES = ["diff.patch", "requirements.txt", "environment.json"] as const;

export function Surroundings({ run, search }: { readonly run: Run; readonly search: string }) {
  const listing = useQuery(artifactsQuery(run.id, ""));
  const fileOf = (name: string) => listing.data?.artifacts.find((one) => one.path === name && !one.is_dir);
  const files = FILES.filter((name) => fileOf(name) !== undefined);
  const environment = useQuery({ ...artifactTextQuery(run.id, fileOf("environment.json")), enabled: files.includes("environment.json") });
  const requirements = useQuery({ ...artifactTextQuery(run.id, fileOf("requirements.txt")), enabled: files.includes("requirements.txt") });
  const packages = packagesOf(requirements.data ?? "");
  const told = surroundingsOf(run.tags);
  const facts = [...told, ...detailsOf(environment.data ?? "")];
  const found = facts.filter(({ name, text }) => `${name} ${text}`.toLowerCase().includes(search));
  const foundPackages = search === "" ? [] : [...packages].filter((pair) => pair.join(" ").toLowerCase().includes(search));
  if (facts.length === 0 && files.length === 0) return null;
  return (
    <section className="run-card run-surroundings">
      <h3>
        Code and environment <small>{search === "" ? "" : `${found.length + foundPackages.length} match`}</small>
      </h3>
      <dl className="run-surrounding-facts">
        {found.map(({ name, text }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <span title={text}>{text}</span>
              {(name === "commit" || name === "command") && (
                <CopyButton className="icon-button" label={`Copy the ${name}`} text={() => text} done={<Icon name="check" size={12} />}>
                  <Icon name="copy" size={12} />
                </CopyButton>
              )}
            </dd>
          </div>
        ))}
        {foundPackages.slice(0, 50).map(([name, version]) => (
          <div key={`package ${name}`}>
            <dt>package {name}</dt>
            <dd>{version}</dd>
          </div>
        ))}
      </dl>
      {files.length > 0 && (
        <p className="run-files">
          {files.map((name) => (
            <Link key={name} className="link" to={withSearch(runTabPath(run.id, "artifacts"), [["af", name]])}>
              {name}
              {name === "requirements.txt" && packages.size > 0 && ` (${packages.size} packages)`}
            </Link>
          ))}
        </p>
      )}
    </section>
  );
}
