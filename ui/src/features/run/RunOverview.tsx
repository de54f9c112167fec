/** What the run is: who, when, how long; params, metrics, tags; and the ledger of what arrived. */
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState, type ReactNode } from "react";
import { eventsQuery, ledgerQuery, type Run } from "../../api/runs";
import { useNow } from "../../lib/now";
import { isSurrounding } from "../../lib/surroundings";
import { duration, fullTime } from "../../lib/time";
import { CopyButton } from "../../ui/CopyButton";
import { Icon } from "../../ui/Icon";
import { Markdown } from "../../ui/Markdown";
import { Status } from "../../ui/Status";
import { LineageCard } from "./LineageCard";
import { MetricCard } from "./MetricCard";
import { Surroundings } from "./Surroundings";
import { naturalOrder } from "../../lib/intl";

const NOTE_TAG = "mlflow.note.content";
const MOST_ROWS = 500;

export function RunOverview({ run }: { readonly run: Run }) {
  const [text, setText] = useState("");
  const search = useDeferredValue(text.trim().toLowerCase());
  const tags = Object.entries(run.tags).filter(([key]) => key !== NOTE_TAG && !isSurrounding(key));
  const note = run.tags[NOTE_TAG];
  return (
    <div className="run-overview thin-scroll">
      <div className="run-column">
        <Facts run={run} />
        <Events run={run} />
        {run.description !== "" && <p className="run-description">{run.description}</p>}
        {note !== undefined && note !== "" && (
          <section className="run-card">
            <Markdown source={note} />
          </section>
        )}
        <input
          className="field run-search"
          type="search"
          placeholder="Search everything below"
          aria-label="Search everything below"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <div className="run-cards">
          <MetricCard run={run} search={search} />
          <Pairs name="Params" pairs={Object.entries(run.params).map(([key, value]) => [key, value, value])} search={search} />
          <Pairs name="Tags" pairs={tags.map(([key, value]) => [key, value, value])} search={search} />
        </div>
        <LineageCard run={run} search={search} />
        <Surroundings run={run} search={search} />
        <Ledger runId={run.id} />
      </div>
    </div>
  );
}

function Facts({ run }: { readonly run: Run }) {
  const now = useNow(run.duration_ms ?? 0);
  const start = Date.parse(run.start_time);
  const length = run.duration_ms ?? (run.status === "running" ? now - start : null);
  const facts: [string, ReactNode][] = [
    ["Status", <Status key="status" status={run.status} />],
    ["Started", fullTime(start)],
    ["Ended", run.end_time === null ? "–" : fullTime(Date.parse(run.end_time))],
    ["Duration", length === null ? "–" : duration(Math.max(0, length))],
    ["By", run.created_by === "" ? "–" : run.created_by],
    [
      "Id",
      <span key="id" className="run-id">
        <code>{run.id}</code>
        <CopyButton className="icon-button" label="Copy the id" text={() => run.id} done={<Icon name="check" />}>
          <Icon name="copy" />
        </CopyButton>
      </span>,
    ],
  ];
  return (
    <>
      <h2 className="run-title">{run.name}</h2>
      {run.lifecycle_stage === "deleted" && <p className="run-archived">This run is archived: it keeps its data and takes no more.</p>}
      <dl className="run-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** What happened to the run besides what it logged; most runs have nothing of it, and no such section. */
function Events({ run }: { readonly run: Run }) {
  const query = useQuery(eventsQuery(run.id, run.status));
  const events = query.data?.events ?? [];
  if (events.length === 0) return null;
  const more = (query.data?.total ?? 0) - events.length;
  return (
    <section className="run-card" aria-label="Events">
      <h3>
        Events <small>newest first</small>
      </h3>
      <ol className="run-events">
        {events.map((event) => (
          <li key={event.id} className={`is-${event.kind}`}>
            <time dateTime={event.time}>{fullTime(Date.parse(event.time))}</time>
            <span>{event.message}</span>
          </li>
        ))}
      </ol>
      {more > 0 && <p className="run-none">{more} older ones.</p>}
    </section>
  );
}

interface PairsProps {
  readonly name: string;
  /** Key, text, and the exact value. */
  readonly pairs: readonly (readonly [string, string, string])[];
  readonly search: string;
}


function Pairs({ name, pairs, search }: PairsProps) {
  const found = pairs
    .filter(([key, text]) => `${key} ${text}`.toLowerCase().includes(search))
    .sort(([a], [b]) => naturalOrder(a, b));
  return (
    <section className="run-card">
      <h3>
        {name} <small>{search === "" ? pairs.length : `${found.length} of ${pairs.length}`}</small>
      </h3>
      {pairs.length === 0 && <p className="run-none">None logged.</p>}
      <dl className="run-pairs">
        {found.slice(0, MOST_ROWS).map(([key, text, exact]) => (
          <div key={key}>
            <dt title={key}>{key}</dt>
            <dd title={exact}>{text}</dd>
          </div>
        ))}
      </dl>
      {found.length > MOST_ROWS && <p className="run-none">{found.length - MOST_ROWS} more. Search for a part of the key.</p>}
    </section>
  );
}

/** Batches that arrived, by writer. A run that was logged without sequence numbers has none, and no such section. */
function Ledger({ runId }: { readonly runId: string }) {
  const query = useQuery(ledgerQuery(runId));
  const writers = query.data?.writers ?? [];
  if (writers.length === 0) return null;
  return (
    <section className="run-card">
      <h3>
        Ledger <small>what arrived, by writer</small>
      </h3>
      <div className="ledger-scroll" tabIndex={0} role="region" aria-label="Ledger">
        <table className="ledger">
          <thead>
            <tr>
              <th scope="col">Writer</th>
              <th scope="col">Batches</th>
              <th scope="col">Points</th>
              <th scope="col">Repeats dropped</th>
              <th scope="col">Points thinned</th>
              <th scope="col">First</th>
              <th scope="col">Last</th>
            </tr>
          </thead>
          <tbody>
            {writers.map((writer) => (
              <tr key={writer.writer}>
                <td>
                  <code>{writer.writer}</code>
                </td>
                <td>0–{writer.last_seq.toLocaleString("en-US")}, none missing</td>
                <td>{writer.points.toLocaleString("en-US")}</td>
                <td>{writer.duplicates_dropped.toLocaleString("en-US")}</td>
                <td>{writer.points_thinned.toLocaleString("en-US")}</td>
                <td>{fullTime(Date.parse(writer.first_at))}</td>
                <td>{fullTime(Date.parse(writer.last_at))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
