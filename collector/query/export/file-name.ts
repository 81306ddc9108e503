import type { ExportFormat } from "./index.ts";
import type { ExportNoun } from "./nouns.ts";

const ENDINGS: Readonly<Record<ExportFormat, string>> = { csv: "csv", jsonl: "jsonl", otlp: "otlp.jsonl" };
const MAX_PROJECT_CHARS = 40;

/** `genspan-default-runs-20261121.csv`: of the project's name only what is harmless in any header and on any disk. */
export function exportFileName(
  project: string,
  { noun, format, day }: { readonly noun: ExportNoun; readonly format: ExportFormat; readonly day: Date },
): string {
  const safe = project
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, MAX_PROJECT_CHARS);
  return `genspan-${safe === "" ? "project" : safe}-${noun}-${day.toISOString().slice(0, 10).replaceAll("-", "")}.${ENDINGS[format]}`;
}
