import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed, gatherFlattened } from "./flattened.ts";
import { conceptText, type GenerationDraft, override, supplyContent, supplyTextOf, withdraw } from "./generation-draft.ts";
import { type Json, numberOf, openJson, stringOf } from "./json.ts";
import { contentParts, type Part, toolCallPart } from "./message-parts.ts";
import { messagesContent } from "./messages.ts";

/** OpenLIT: the conventions with names of its own beside them; -1, "" and [] for what was not set. */
export const openlit: Dialect = {
  name: "openlit",
  signs: [
    "gen_ai.sdk.",
    "gen_ai.usage.cost",
    "gen_ai.request.image_size",
    "gen_ai.response.image",
    "gen_ai.response.image.",
    "gen_ai.content.reasoning",
    "gen_ai.application_name",
  ],
  sources: {
    costAmount: ["gen_ai.usage.cost"],
    reasoningTokens: ["gen_ai.usage.completion_tokens_details.reasoning"],
    cacheReadTokens: ["gen_ai.usage.prompt_tokens_details.cache_read"],
    cacheWriteTokens: ["gen_ai.usage.prompt_tokens_details.cache_write"],
    userId: ["gen_ai.request.user"],
  },
  classify: () => undefined,
  complete(view, draft) {
    if (conceptText(view, draft, "operation") === "image") override(draft, "operation", "image_generation", "gen_ai.operation.name");
    const reasoning = stringOf(attributeNamed(view, "gen_ai.content.reasoning"));
    supplyTextOf(draft, "reasoning", reasoning, "gen_ai.content.reasoning");
    withdrawUnset(view, draft);
    supplyImages(view, draft);
  },
};

function withdrawUnset(view: SpanView, draft: GenerationDraft): void {
  if ((numberOf(attributeNamed(view, "gen_ai.request.top_k")) ?? 0) < 0) withdraw(draft, "topK");
  const stop = attributeNamed(view, "gen_ai.request.stop_sequences");
  if (stop === "" || (Array.isArray(stop) && stop.length === 0)) withdraw(draft, "stopSequences");
  if (attributeNamed(view, "gen_ai.request.user") === "") withdraw(draft, "userId");
}

/** Images stand under one name, in a list, or numbered, as an address or as base64; revised prompts likewise. */
function supplyImages(view: SpanView, draft: GenerationDraft): void {
  const images = listOf(view, "gen_ai.response.image");
  const revised = listOf(view, "gen_ai.content.revised_prompt");
  const parts = images.map((image, i) => ({ ...imagePart(image), ...(revised[i] === undefined ? {} : { revised_prompt: revised[i] }) }));
  if (parts.length > 0) supplyContent(draft, "response", messagesContent([{ role: "assistant", parts }]), "gen_ai.response.image");
  const calls = openJson(attributeNamed(view, "gen_ai.response.tool_calls"));
  if (!Array.isArray(calls) || calls.length === 0 || conceptText(view, draft, "outputMessages") !== undefined) return;
  supplyContent(draft, "response", messagesContent([{ role: "assistant", parts: calls.map(toolCallPart) }]), "gen_ai.response.tool_calls");
}

function listOf(view: SpanView, name: string): string[] {
  const whole = openJson(attributeNamed(view, name));
  const numbered = gatherFlattened(view, `${name}.`);
  const list: readonly Json[] = Array.isArray(whole) ? whole : Array.isArray(numbered) ? numbered : [whole];
  return list.map(stringOf).filter((text) => text !== undefined);
}

/** An address, a data URL or bare base64; it puts words in brackets where it leaves the bytes out. */
function imagePart(image: string): Part {
  if (image.startsWith("[")) return { type: "text", content: image };
  const [part] = contentParts([{ type: "image", data: image, ...(/^[a-z]+:/i.test(image) ? {} : { mime_type: "image/png" }) }]);
  return part ?? { type: "uri", modality: "image", uri: image };
}
