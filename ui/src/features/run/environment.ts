/** What environment.json says about the machine, as facts; a file of another shape says nothing. */
import { formatBytes } from "../artifacts/file-kind";
import type { Fact } from "../../lib/surroundings";

export function detailsOf(json: string): Fact[] {
  const root = parsed(json);
  const [host, python, command] = [fields(root.get("host")), fields(root.get("python")), fields(root.get("command"))];
  const gpus = host.get("gpus");
  const memory = host.get("memory_bytes");
  const facts: [string, string | null][] = [
    ["folder", textOf(command.get("folder"))],
    ["system", textOf(host.get("system"))],
    ["processor", [textOf(host.get("processor")), cpus(host.get("cpus"))].filter(Boolean).join(", ")],
    ["memory", typeof memory === "number" ? formatBytes(memory) : null],
    ["GPUs", Array.isArray(gpus) ? counted(gpus.map(gpuName)) : null],
    ["interpreter", textOf(python.get("executable"))],
  ];
  return facts.flatMap(([name, text]) => (text === null || text === "" ? [] : [{ name, text }]));
}

function parsed(json: string): ReadonlyMap<string, unknown> {
  try {
    return fields(JSON.parse(json));
  } catch {
    return new Map();
  }
}

function fields(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : []);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function cpus(value: unknown): string {
  return typeof value === "number" ? `${value} cores` : "";
}

/** Eight of the same are said once. */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`)).join(", ");
}

function gpuName(gpu: unknown): string {
  return textOf(gpu) ?? textOf(fields(gpu).get("name")) ?? "unknown";
}
