import type { Concept } from "../model/concept.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { attributeNamed } from "./flattened.ts";
import { type GenerationDraft, supply, supplyParameters } from "./generation-draft.ts";
import { at, isObject, type Json, type JsonObject, numberOf, stringOf } from "./json.ts";

/** Content and identity: told elsewhere, and no settings. */
const NO_SETTING = "none";

/** Names that providers and frameworks give to the settings of a call, by concept. */
const NAMES: Readonly<Partial<Record<Concept | typeof NO_SETTING, string>>> = {
  temperature: "temperature",
  maxTokens: "max_tokens max_completion_tokens max_output_tokens maxTokens maxOutputTokens max_new_tokens",
  topP: "top_p topP",
  topK: "top_k topK",
  frequencyPenalty: "frequency_penalty frequencyPenalty",
  presencePenalty: "presence_penalty presencePenalty",
  seed: "seed",
  stopSequences: "stop stop_sequences stopSequences",
  reasoningLevel: "reasoning_effort reasoningEffort",
  [NO_SETTING]:
    "redacted model messages input prompt contents system instructions systemInstruction system_instruction tools functions extra_headers headers generationConfig",
};

const MEANING: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMES).flatMap(([concept, names]) => names.split(" ").map((name) => [name, concept] as const)),
);

/** Whether the answer was asked for as a stream, by the first of some attributes; Python writes its flags with capitals. */
export function supplyStreaming(view: SpanView, draft: GenerationDraft, names: readonly string[]): void {
  const flag = names.map((name) => String(attributeNamed(view, name)).toLowerCase()).find((text) => text === "true" || text === "false");
  if (flag !== undefined) supplyParameters(draft, { stream: flag === "true" });
}

/** The settings of a provider's request: those with a column as concepts, the others as model parameters. */
export function supplyRequestParameters(draft: GenerationDraft, given: Json, origin: string): void {
  if (!isObject(given)) return;
  const rest = Object.create(null) as JsonObject;
  const taken = new Set<string>();
  supplyEach(draft, given, { rest, taken, origin });
  if (isObject(given["generationConfig"])) supplyEach(draft, given["generationConfig"], { rest, taken, origin });
  supply(draft, "reasoningLevel", stringOf(at(given, "reasoning", "effort")), origin);
  for (const _ in rest) {
    supplyParameters(draft, rest);
    return;
  }
}

interface Told {
  readonly rest: JsonObject;
  /** Concepts that a setting gave already: a second name for one of them is a setting of its own. */
  readonly taken: Set<string>;
  readonly origin: string;
}

function supplyEach(draft: GenerationDraft, settings: JsonObject, { rest, taken, origin }: Told): void {
  for (const [name, value] of Object.entries(settings)) {
    const meaning = MEANING.get(name);
    if (value === undefined || value === null || meaning === NO_SETTING) continue;
    const scalar = meaning === undefined || taken.has(meaning) ? undefined : settingOf(meaning, value);
    if (meaning === undefined || scalar === undefined) {
      rest[name] = value;
      continue;
    }
    taken.add(meaning);
    supply(draft, meaning as Concept, scalar, origin);
  }
}

function settingOf(meaning: string, value: Json): string | number | undefined {
  if (meaning === "reasoningLevel") return stringOf(value);
  return meaning === "stopSequences" ? JSON.stringify(Array.isArray(value) ? value : [value]) : numberOf(value);
}
