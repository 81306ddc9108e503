import type { Command } from "commander";
import { addList } from "./list.ts";
import { type CliInput, withExamples } from "./options.ts";

const COLUMNS = [
  "start_time",
  "id",
  "generation_status",
  "model_name",
  "prompt_template_name",
  "prompt_template_version",
  "tokens_prompt",
  "tokens_completion",
  "tokens_reasoning",
  "cost_amount",
  "duration_ms",
  "quality_status",
];

export function addGeneration(program: Command, input: CliInput): void {
  const generation = program.command("generation").description("model calls");
  withExamples(generation, "genspan generation list --from -24h", "genspan generation list -f status=failed -o json");
  addList(generation, input, {
    path: "/api/generations",
    columns: COLUMNS,
    description: "list model calls, newest first",
    examples: [
      "genspan generation list --from -24h",
      "genspan generation list -f model=gpt-5 -f min_ms=2000 --sort=-cost",
      "genspan generation list --all -o jsonl",
    ],
  });
}
