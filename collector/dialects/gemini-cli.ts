import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { conceptText, type GenerationDraft, supply, supplyContent, withdraw } from "./generation-draft.ts";
import { isObject, type Json, openJson } from "./json.ts";
import { contentParts, type Part } from "./message-parts.ts";
import { messagesContent, toMessageList } from "./messages.ts";

const INPUT = "gen_ai.input.messages";
const OUTPUT = "gen_ai.output.messages";

/** Gemini CLI: operations of its own, and Gemini's contents under the conventions' names, of an answer one for each piece of its stream. */
export const geminiCli: Dialect = {
  name: "gemini-cli",
  signs: ["gen_ai.agent.name"],
  sources: {},
  classify: (view, draft) => (isItsOwn(view) && conceptText(view, draft, "operation") === "llm_call" ? "call" : undefined),
  complete(view, draft) {
    if (!isItsOwn(view)) return;
    supply(draft, "provider", "gcp.gemini", "gen_ai.agent.name");
    supplyPrompt(view, draft);
    supplyAnswer(view, draft);
  },
};

const isItsOwn = (view: SpanView): boolean => openJson(attributeNamed(view, "gen_ai.agent.name")) === "gemini-cli";

/** Contents of Gemini: parts without a type. */
const contentsIn = (view: SpanView, name: string): Json[] | undefined => {
  const value = openJson(attributeNamed(view, name));
  const list = isObject(value) && Array.isArray(value["contents"]) ? (value["contents"] as Json[]) : value;
  return Array.isArray(list) && list.every((entry) => isObject(entry) && Array.isArray(entry["parts"])) ? list : undefined;
};

function supplyPrompt(view: SpanView, draft: GenerationDraft): void {
  const contents = contentsIn(view, INPUT);
  if (contents === undefined) return;
  withdraw(draft, "inputMessages");
  supplyContent(draft, "prompt", messagesContent(toMessageList(contents, "user")), INPUT);
}

/** One answer: texts of its pieces that follow each other are one text. */
function supplyAnswer(view: SpanView, draft: GenerationDraft): void {
  const contents = contentsIn(view, OUTPUT);
  if (contents === undefined) return;
  const parts: Part[] = [];
  for (const part of contents.flatMap((content) => contentParts(isObject(content) ? content["parts"] : undefined))) {
    const last = parts.at(-1);
    const continues = last?.type === part.type && typeof last["content"] === "string" && typeof part["content"] === "string";
    if (continues) parts[parts.length - 1] = { ...last, content: `${String(last["content"])}${String(part["content"])}` };
    else parts.push(part);
  }
  withdraw(draft, "outputMessages");
  supplyContent(draft, "response", messagesContent([{ role: "assistant", parts }]), OUTPUT);
}
