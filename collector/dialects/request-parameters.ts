import type { Concept } from "../model/concept.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { attributeNamed } from "./flattened.ts";
import { type GenerationDraft, supply, supplyParameters } from "./generation-draft.ts";
import { isObject, type Json, type JsonObject, numberOf, stringOf } from "./json.ts";

/** Names that providers and frameworks give to the settings of a call, by concept. */
const NUMBERS: readonly (readonly [Concept, readonly string[]])[] = [
  ["temperature", ["temperature"]],
  ["maxTokens", ["max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens", "maxOutputTokens", "max_new_tokens"]],
  ["topP", ["top_p", "topP"]],
  ["topK", ["top_k", "topK"]],
  ["frequencyPenalty", ["frequency_penalty", "frequencyPenalty"]],
  ["presencePenalty", ["presence_penalty", "presencePenalty"]],
  ["seed", ["seed"]],
];
const STOP = ["stop", "stop_sequences", "stopSequences"];
const EFFORT = ["reasoning_effort", "reasoningEffort"];

/** Content and identity: told elsewhere, and no settings. */
const NO_SETTINGS: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "input",
  "prompt",
  "contents",
  "system",
  "instructions",
  "systemInstruction",
  "system_instruction",
  "tools",
  "functions",
  "extra_headers",
  "headers",
]);

/** Whether the answer was asked for as a stream, by the first of some attributes; Python writes its flags with capitals. */
export function supplyStreaming(view: SpanView, draft: GenerationDraft, names: readonly string[]): void {
  const flag = names.map((name) => String(attributeNamed(view, name)).toLowerCase()).find((text) => text === "true" || text === "false");
  if (flag !== undefined) supplyParameters(draft, { stream: flag === "true" });
}

/** The settings of a provider's request: those with a column as concepts, the others as model parameters. */
export function supplyRequestParameters(draft: GenerationDraft, given: Json, origin: string): void {
  if (!isObject(given)) return;
  const settings: JsonObject = isObject(given["generationConfig"])
    ? { ...given, ...given["generationConfig"], generationConfig: undefined }
    : given;
  const read = new Set<string>(NO_SETTINGS);
  for (const [concept, names] of NUMBERS) {
    const name = names.find((each) => numberOf(settings[each]) !== undefined);
    if (name === undefined) continue;
    read.add(name);
    supply(draft, concept, numberOf(settings[name]), origin);
  }
  const stop = STOP.find((name) => settings[name] !== undefined && settings[name] !== null);
  if (stop !== undefined) {
    read.add(stop);
    const list = Array.isArray(settings[stop]) ? settings[stop] : [settings[stop]];
    supply(draft, "stopSequences", JSON.stringify(list), origin);
  }
  const effort = EFFORT.map((name) => stringOf(settings[name])).find((value) => value !== undefined);
  const reasoning = settings["reasoning"];
  supply(draft, "reasoningLevel", effort ?? (isObject(reasoning) ? stringOf(reasoning["effort"]) : undefined), origin);
  for (const name of EFFORT) read.add(name);
  const rest = Object.entries(settings).filter(([name, value]) => !read.has(name) && value !== undefined && value !== null);
  if (rest.length > 0) supplyParameters(draft, Object.fromEntries(rest));
}
