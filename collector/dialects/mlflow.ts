import { isReduced } from "./content-facts.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { supply, supplyContent } from "./generation-draft.ts";
import { at, isObject, type Json, numberOf, openJson, stringOf } from "./json.ts";
import { messagesContent } from "./messages.ts";
import { readProviderResponse, supplyProviderResponse } from "./provider-answers.ts";
import { supplyProviderRequest } from "./provider-requests.ts";
import { supplyRequestParameters } from "./request-parameters.ts";

const CALLS: ReadonlyMap<string, string> = new Map([
  ["LLM", "chat"],
  ["CHAT_MODEL", "chat"],
  ["EMBEDDING", "embeddings"],
]);

/** MLflow tracing: every value is JSON in a string, strings with quotes inside. */
export const mlflow: Dialect = {
  name: "mlflow",
  signs: ["mlflow."],
  sources: {},
  classify(view) {
    const type = stringOf(openJson(attributeNamed(view, "mlflow.spanType")));
    if (type === undefined) return undefined;
    return CALLS.has(type) ? "call" : "wrapper";
  },
  complete(view, draft) {
    const operation = CALLS.get(stringOf(openJson(attributeNamed(view, "mlflow.spanType"))) ?? "");
    if (operation === undefined) return;
    supply(draft, "operation", operation, "mlflow.spanType");
    supply(draft, "model", stringOf(openJson(attributeNamed(view, "mlflow.llm.model"))), "mlflow.llm.model");
    const inputs = openJson(attributeNamed(view, "mlflow.spanInputs"));
    const outputs = openJson(attributeNamed(view, "mlflow.spanOutputs"));
    supplyProviderRequest(draft, inputs, "mlflow.spanInputs");
    supplyRequestParameters(draft, isObject(inputs) ? inputs : undefined, "mlflow.spanInputs");
    supplyProviderResponse(draft, outputs, "mlflow.spanOutputs");
    const answer = readProviderResponse(outputs);
    supplyContent(draft, "prompt", asText(inputs), "mlflow.spanInputs");
    supplyContent(draft, "response", answer === undefined ? asText(outputs) : messagesContent(answer), "mlflow.spanOutputs");
    const usage = openJson(attributeNamed(view, "mlflow.chat.tokenUsage"));
    supply(draft, "inputTokens", numberOf(at(usage, "input_tokens")), "mlflow.chat.tokenUsage");
    supply(draft, "outputTokens", numberOf(at(usage, "output_tokens")), "mlflow.chat.tokenUsage");
    supply(draft, "totalTokens", numberOf(at(usage, "total_tokens")), "mlflow.chat.tokenUsage");
    supply(draft, "cacheReadTokens", numberOf(at(usage, "cache_read_input_tokens")), "mlflow.chat.tokenUsage");
    supply(draft, "cacheWriteTokens", numberOf(at(usage, "cache_creation_input_tokens")), "mlflow.chat.tokenUsage");
    const tools = openJson(attributeNamed(view, "mlflow.chat.tools"));
    if (Array.isArray(tools)) supply(draft, "toolDefinitions", JSON.stringify(tools), "mlflow.chat.tools");
  },
};

const asText = (value: Json): { text: string; format: "text" } | undefined =>
  value === undefined || value === null || isReduced(value)
    ? undefined
    : { text: typeof value === "string" ? value : JSON.stringify(value), format: "text" };
