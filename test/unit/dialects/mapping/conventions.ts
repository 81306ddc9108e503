import {
  AGENT,
  BREAKDOWN,
  CALLING,
  CHAT,
  columns,
  HI,
  HO,
  json,
  type Mapping,
  message,
  NO_COLUMN,
  probe,
  prompt,
  response,
  SEARCH,
  TOOL,
  text,
} from "./mapping.ts";

const THOUGHT = { type: "reasoning", content: "Hm." };
const RESULT = { type: "tool_call_response", id: "c1", response: "12C" };
const PNG = "iVBORw0KGgo=";
const details = "gen_ai.client.inference.operation.details";

const CURRENT: Mapping = {
  dialect: "otel-genai (semconv 1.37",
  call: { attributes: CHAT },
  probes: [
    ...columns({
      "gen_ai.provider.name": ["anthropic", { provider_name: "anthropic" }],
      "gen_ai.operation.name": ["generate_content", { operation_name: "generate_content" }],
      "gen_ai.request.model": ["gpt-4o", { model_name: "gpt-4o" }],
      "gen_ai.response.model": ["gpt-4o-1", { response_model: "gpt-4o-1" }],
      "gen_ai.response.id": ["r1", { response_id: "r1" }],
      "gen_ai.response.finish_reasons": [["stop", "length"], { response_finish_reason: "stop,length" }],
      "gen_ai.response.time_to_first_chunk": [0.25, { time_to_first_token_ms: 250 }],
      "gen_ai.usage.input_tokens": [7, { tokens_prompt: 7 }],
      "gen_ai.usage.output_tokens": [5, { tokens_completion: 5 }],
      "gen_ai.request.temperature": [1, { model_temperature: 1 }],
      "gen_ai.request.top_p": [0.9, { model_top_p: 0.9 }],
      "gen_ai.request.top_k": [4, { model_top_k: 4 }],
      "gen_ai.request.max_tokens": [9, { model_max_tokens: 9 }],
      "gen_ai.request.frequency_penalty": [0.1, { model_frequency_penalty: 0.1 }],
      "gen_ai.request.presence_penalty": [0.2, { model_presence_penalty: 0.2 }],
      "gen_ai.request.seed": [3, { model_seed: 3 }],
      "gen_ai.request.stop_sequences": [["."], { model_stop_sequences: ["."] }],
      "gen_ai.request.choice.count": [2, { model_parameters: { "choice.count": 2 } }],
      "gen_ai.request.stream": [true, { model_parameters: { stream: true } }],
      "gen_ai.request.encoding_formats": [["float"], { model_parameters: { encoding_formats: ["float"] } }],
      "gen_ai.output.type": ["image", { model_parameters: { "output.type": "image" } }],
      "gen_ai.conversation.id": ["c1", { conversation_id: "c1" }],
      "gen_ai.prompt.name": ["define", { prompt_template_name: "define" }],
      "gen_ai.embeddings.dimension.count": [8, { model_parameters: { "embeddings.dimension.count": 8 } }],
      "gen_ai.system_instructions": [json([text("Be terse")]), { system_instructions: [text("Be terse")] }],
      "gen_ai.tool.definitions": [json([{ name: "t" }]), { tool_definitions: [{ name: "t" }] }],
      "error.type": ["timeout", { generation_status: "timeout", error_type: "timeout" }],
      "openai.request.service_tier": ["flex", { model_parameters: { service_tier: "flex" } }],
      "openai.api.type": ["responses", { model_parameters: { "api.type": "responses" } }],
      "gen_ai.client.operation.time_to_first_chunk": [0.5, { time_to_first_token_ms: 500 }],
    }),
    probe({ "gen_ai.usage.input_tokens": 7, "gen_ai.usage.cache_read.input_tokens": 3 }, { tokens_prompt: 7, tokens_cache_read: 3 }),
    probe({ "gen_ai.usage.input_tokens": 7, "gen_ai.usage.cache_creation.input_tokens": 2 }, { tokens_prompt: 7, tokens_cache_write: 2 }),
    probe({ "gen_ai.usage.output_tokens": 7, "gen_ai.usage.reasoning.output_tokens": 3 }, { tokens_completion: 7, tokens_reasoning: 3 }),
    probe({ "gen_ai.input.messages": json([HI]) }, prompt(HI)),
    probe({ "gen_ai.input.messages": [{ role: "user", parts: [{ type: "text", content: "Hi" }] }] }, prompt(HI)),
    probe({ "gen_ai.input.messages": json([{ role: "user", content: "Hi" }]) }, prompt(HI)),
    probe({ "gen_ai.output.messages": json([HO]) }, response(HO)),
    probe({ "gen_ai.output.messages": json([message("assistant", THOUGHT, CALLING)]) }, { reasoning_content: "Hm." }),
    probe({ "gen_ai.output.messages": json([message("assistant", CALLING)]) }, response(message("assistant", CALLING))),
    probe({ "gen_ai.input.messages": json([message("tool", RESULT)]) }, prompt(message("tool", RESULT))),
    probe(
      { "gen_ai.output.messages": json([message("assistant", { type: "blob", modality: "image", mime_type: "image/png", content: PNG })]) },
      { response_full_text: [{ parts: [{ type: "uri", modality: "image", mime_type: "image/png", size_bytes: 8 }] }] },
    ),
    probe(
      {
        "gen_ai.input.messages": json([
          message("user", { type: "uri", modality: "image", uri: "https://x/y" }, { type: "file", file_id: "f" }),
        ]),
      },
      {
        prompt_full_text: [
          {
            parts: [
              { type: "uri", uri: "https://x/y" },
              { type: "file", file_id: "f" },
            ],
          },
        ],
      },
    ),
    probe(
      {},
      { ...prompt(HI), ...response(HO) },
      {
        events: [
          { name: details, attributes: { "gen_ai.input.messages": json([HI]) } },
          { name: details, attributes: { "gen_ai.output.messages": json([HO]) } },
        ],
      },
    ),
  ],
  around: [
    {
      ...CHAT,
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "t",
      "gen_ai.tool.call.id": "c",
      "gen_ai.tool.type": "function",
    },
    { "gen_ai.provider.name": "openai", "gen_ai.request.model": "m", "gen_ai.tool.name": "t", "gen_ai.tool.call.arguments": "{}" },
    { ...CHAT, "gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "w", "gen_ai.usage.input_tokens": 9 },
    { ...CHAT, "gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "d" },
  ],
  kept: {
    [TOOL]: ["gen_ai.tool.description", "gen_ai.tool.call.result"],
    [AGENT]: ["gen_ai.agent.id", "gen_ai.agent.name", "gen_ai.agent.description", "gen_ai.agent.version"],
    [SEARCH]: ["gen_ai.retrieval.documents", "gen_ai.retrieval.query.text"],
    [NO_COLUMN]: ["server.address", "server.port", "openai.response.service_tier", "openai.response.system_fingerprint"],
    "the name of a metric: the row has the span's own times": [
      "gen_ai.client.operation.duration",
      "gen_ai.client.operation.time_per_output_chunk",
    ],
    [BREAKDOWN]: ["gen_ai.client.token.usage"],
  },
  elsewhere: {
    "db/scores: an event gen_ai.evaluation.result is a row of generation_scores": [
      "gen_ai.evaluation.name",
      ".score.value",
      ".score.label",
      ".explanation",
    ],
    "above, inside the JSON of messages": [".parts", ".content"],
    "messages.test.ts: thinking is reasoning": ["thinking"],
  },
};

const OLD: Mapping = {
  dialect: "otel-genai deprecated",
  call: { attributes: { "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "m" } },
  probes: [
    ...columns({
      "gen_ai.system": ["az.ai.openai", { provider_name: "azure.ai.openai" }],
      "gen_ai.usage.prompt_tokens": [7, { tokens_prompt: 7 }],
      "gen_ai.usage.completion_tokens": [5, { tokens_completion: 5 }],
      "gen_ai.usage.total_tokens": [12, { tokens_total: 12 }],
      "gen_ai.usage.cache_read_input_tokens": [3, { tokens_cache_read: 3 }],
      "gen_ai.usage.cache_creation_input_tokens": [3, { tokens_cache_write: 3 }],
      "gen_ai.usage.cache_write_input_tokens": [3, { tokens_cache_write: 3 }],
      "gen_ai.usage.cache_read_tokens": [3, { tokens_cache_read: 3 }],
      "gen_ai.usage.cache_write_tokens": [3, { tokens_cache_write: 3 }],
      "gen_ai.usage.input_cached_tokens": [3, { tokens_cache_read: 3 }],
      "gen_ai.usage.input_cache_creation": [3, { tokens_cache_write: 3 }],
      "gen_ai.prompt": [json([{ role: "user", content: "Hi" }]), prompt(HI)],
      "gen_ai.completion": [json([{ role: "assistant", content: "Ho" }]), response(HO)],
      "gen_ai.openai.request.seed": [3, { model_seed: 3 }],
      "gen_ai.openai.request.response_format": ["json_object", { model_parameters: { response_format: "json_object" } }],
      "gen_ai.openai.request.service_tier": ["flex", { model_parameters: { service_tier: "flex" } }],
      "gen_ai.request.service_tier": ["flex", { model_parameters: { service_tier: "flex" } }],
    }),
    probe(
      {},
      {
        ...prompt(message("system", text("Be terse")), HI, message("assistant", CALLING), message("tool", RESULT)),
        response_full_text: [{ ...HO, finish_reason: "stop" }],
        response_finish_reason: "stop",
      },
      {
        events: [
          { name: "gen_ai.system.message", attributes: { content: "Be terse" } },
          { name: "gen_ai.user.message", attributes: { content: "Hi", role: "user" } },
          {
            name: "gen_ai.assistant.message",
            attributes: { tool_calls: json([{ id: "c1", function: { name: "get_weather", arguments: '{"city":"Utrecht"}' } }]) },
          },
          { name: "gen_ai.tool.message", attributes: { id: "c1", content: "12C" } },
          { name: "gen_ai.choice", attributes: { index: 0, finish_reason: "stop", message: json({ role: "assistant", content: "Ho" }) } },
        ],
      },
    ),
    probe(
      {},
      { prompt_full_text: "user: Hi", ...response(HO) },
      {
        events: [
          { name: "gen_ai.content.prompt", attributes: { "gen_ai.prompt": "user: Hi" } },
          { name: "gen_ai.content.completion", attributes: { "gen_ai.completion": json([{ role: "assistant", content: "Ho" }]) } },
        ],
      },
    ),
  ],
  kept: { [NO_COLUMN]: ["gen_ai.openai.response.service_tier", "gen_ai.response.service_tier"] },
};

const EVERYWHERE: Mapping = {
  dialect: "resource / cross-cutting",
  call: { attributes: CHAT },
  probes: [
    ...columns({
      "enduser.id": ["u", { user_id: "u" }],
      "user.id": ["u", { user_id: "u" }],
      "session.id": ["s", { conversation_id: "s" }],
      "http.request.resend_count": [2, { attempts_count: 3 }],
    }),
    probe(
      {},
      { generation_status: "failed", error_type: "ValueError", error_message: "it broke", error_traceback: "at x" },
      {
        error: "it broke",
        events: [
          {
            name: "exception",
            attributes: { "exception.type": "ValueError", "exception.message": "inner", "exception.stacktrace": "at x" },
          },
        ],
      },
    ),
  ],
  kept: { "only a setting": ["ai.settings.maxRetries"] },
  elsewhere: {
    "rows tests: columns and tables of the resource": [
      "service.name",
      "service.version",
      "service.instance.id",
      "deployment.environment.name",
      "deployment.environment",
      "telemetry.sdk.language",
      "telemetry.sdk.name",
    ],
    "above: status and exception": ["span.status"],
    "recorded openinference-longchat: dropped attributes make content truncated": ["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"],
  },
};

export const CONVENTIONS: readonly Mapping[] = [CURRENT, OLD, EVERYWHERE];
