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
  TOOL,
  text,
} from "./mapping.ts";

const OPENLIT: Mapping = {
  dialect: "openlit",
  call: { attributes: { ...CHAT, "gen_ai.sdk.version": "1.36" } },
  probes: [
    ...columns({
      "gen_ai.provider.name": ["cohere", { provider_name: "cohere" }],
      "gen_ai.usage.cost": [0.36, { cost_amount: "0.36", cost_currency: "USD" }],
      "gen_ai.usage.total_tokens": [12, { tokens_total: 12 }],
      "gen_ai.usage.reasoning_tokens": [3, { tokens_reasoning: 3 }],
      "gen_ai.usage.completion_tokens_details.reasoning": [3, { tokens_reasoning: 3 }],
      "gen_ai.usage.prompt_tokens_details.cache_read": [3, { tokens_cache_read: 3 }],
      "gen_ai.usage.prompt_tokens_details.cache_write": [3, { tokens_cache_write: 3 }],
      "gen_ai.server.time_to_first_token": [0.25, { time_to_first_token_ms: 250 }],
      "gen_ai.request.is_stream": [true, { model_parameters: { is_stream: true } }],
      "gen_ai.request.stream": [true, { model_parameters: { stream: true } }],
      "gen_ai.request.user": ["u", { user_id: "u" }],
      "gen_ai.request.tool_choice": ["auto", { model_parameters: { tool_choice: "auto" } }],
      "gen_ai.content.reasoning": ["Hm.", { reasoning_content: "Hm." }],
      "gen_ai.response.tool_calls": [
        json([{ id: "c1", function: { name: "get_weather", arguments: '{"city":"Utrecht"}' } }]),
        response(message("assistant", CALLING)),
      ],
    }),
    probe({ "gen_ai.operation.name": "image" }, { operation_name: "image_generation" }),
    probe({ "gen_ai.operation.name": "audio" }, { operation_name: "audio" }),
    probe(
      {
        "gen_ai.operation.name": "image",
        "gen_ai.request.image_size": "1024x1024",
        "gen_ai.request.image_quality": "low",
        "gen_ai.request.image_style": "vivid",
        "gen_ai.response.image": "https://x/y.png",
        "gen_ai.content.revised_prompt": "A cat, revised",
      },
      {
        model_parameters: { image_size: "1024x1024", image_quality: "low", image_style: "vivid" },
        response_full_text: [{ parts: [{ type: "uri", uri: "https://x/y.png", revised_prompt: "A cat, revised" }] }],
      },
    ),
  ],
  around: ["vectordb", "invoke_workflow", "execute_task"].map((operation) => ({ ...CHAT, "gen_ai.operation.name": operation })),
  kept: {
    [NO_COLUMN]: ["gen_ai.endpoint", "gen_ai.environment", "gen_ai.application_name", "gen_ai.framework.name", "gen_ai.eval.score"],
    [BREAKDOWN]: ["gen_ai.usage.completion_tokens_details.audio"],
    "follows from the times and counts of the row": ["gen_ai.server.time_per_output_token"],
    [TOOL]: ["gen_ai.tool.args", "gen_ai.tool.input", "gen_ai.tool.output"],
  },
  elsewhere: {
    "its attributes are signs enough": ["telemetry.sdk.name", "openlit.otel.tracing"],
    "every mapping's provider": ["gen_ai.system"],
  },
};

const LOGFIRE: Mapping = {
  dialect: "pydantic-ai",
  call: { scope: "pydantic-ai", attributes: { ...CHAT, "logfire.span_type": "span", "gen_ai.response.id": "r0" } },
  probes: [
    ...columns({
      "gen_ai.input.messages": [json([HI]), prompt(HI)],
      "gen_ai.output.messages": [json([HO]), response(HO)],
      "gen_ai.system_instructions": [json([text("Be terse")]), { system_instructions: [text("Be terse")] }],
      "operation.cost": [0.36, { cost_amount: "0.36", cost_currency: "USD" }],
      "gen_ai.usage.details.reasoning_tokens": [3, { tokens_reasoning: 3 }],
      "gen_ai.usage.details.cache_read_tokens": [3, { tokens_cache_read: 3 }],
      "gen_ai.usage.raw": [json({ input_tokens: 7, output_tokens: 5 }), { tokens_prompt: 7, tokens_completion: 5 }],
      model_request_parameters: [json({ function_tools: [{ name: "t" }] }), { tool_definitions: [{ name: "t" }] }],
      "gen_ai.conversation.id": ["c1", { conversation_id: "c1" }],
      request_data: [
        json({ model: "m", messages: [{ role: "user", content: "Hi" }], temperature: 0.5 }),
        { ...prompt(HI), model_temperature: 0.5 },
      ],
      response_data: [
        json({ message: { role: "assistant", content: "Ho" }, usage: { prompt_tokens: 7, completion_tokens: 5 } }),
        { ...response(HO), tokens_prompt: 7 },
      ],
    }),
    probe(
      { "gen_ai.usage.partial.input_tokens": 7, "gen_ai.usage.partial.output_tokens": 1 },
      { tokens_prompt: 7, tokens_completion: 1, additional_metadata: { tokens_estimated: true } },
    ),
    probe(
      {
        events: json([
          { "event.name": "gen_ai.user.message", role: "user", content: "Hi", "gen_ai.message.index": 0 },
          { "event.name": "gen_ai.choice", message: { role: "assistant", content: "Ho" } },
        ]),
      },
      { ...prompt(HI), ...response(HO) },
    ),
    probe(
      {
        "logfire.span_type": "log",
        request_data: json({ model: "m", messages: [{ role: "user", content: "Hi" }], stream: true }),
        response_data: json({ combined_chunk_content: "Ho", chunk_count: 2 }),
        duration: 1.5,
      },
      { ...response(HO), duration_ms: 1500 },
    ),
    probe(
      {
        "gen_ai.operation.name": "image_generation",
        response_data: json({ images: [{ url: "https://x/y.png", revised_prompt: "A cat, revised" }, { b64_json: "iVBORw0KGgo=" }] }),
      },
      {
        operation_name: "image_generation",
        response_full_text: [
          {
            parts: [
              { uri: "https://x/y.png", revised_prompt: "A cat, revised" },
              { type: "uri", size_bytes: 8 },
            ],
          },
        ],
      },
    ),
  ],
  around: [
    { "gen_ai.request.model": "m", "pydantic_ai.all_messages": "[]", "gen_ai.aggregated_usage.input_tokens": 9 },
    { model_name: "m", agent_name: "a", all_messages_events: "[]", final_result: "x", "gen_ai.aggregated_usage.output_tokens": 9 },
    { ...CHAT, request_data: json({ model: "m", messages: [{ role: "user", content: "Hi" }], stream: true }) },
    { "gen_ai.tool.name": "t", tool_arguments: "{}", tool_response: "1", "gen_ai.request.model": "m" },
    { "gen_ai.tool.name": "t", "gen_ai.tool.call.arguments": "{}", "gen_ai.tool.call.result": "1", "gen_ai.request.model": "m" },
  ],
  kept: {
    [BREAKDOWN]: ["gen_ai.usage.details.text_prompt_tokens"],
    [AGENT]: ["gen_ai.agent.name", "gen_ai.agent.call.id"],
    "how Logfire shows the span": ["logfire.msg", "logfire.json_schema", "logfire.tags"],
  },
  elsewhere: { "above, inside the JSON of an answer": ["response_data.images", ".url", ".b64_json", ".revised_prompt"] },
};

const STRANDS: Mapping = {
  dialect: "strands",
  call: { attributes: { ...CHAT, "event_loop.cycle_id": "c" } },
  probes: columns({
    "gen_ai.provider.name": ["strands-agents", { provider_name: null }],
    "gen_ai.usage.input_tokens": [7, { tokens_prompt: 7 }],
    "gen_ai.usage.cache_write_input_tokens": [3, { tokens_cache_write: 3 }],
    "gen_ai.server.time_to_first_token": [250, { time_to_first_token_ms: 250 }],
  }),
  around: [{ ...CHAT, "gen_ai.operation.name": "invoke_agent", "event_loop.cycle_id": "c", "gen_ai.usage.input_tokens": 9 }],
  kept: {
    "follows from the times of the row": ["gen_ai.server.request.duration", "gen_ai.event.start_time", "gen_ai.event.end_time"],
    [AGENT]: ["gen_ai.agent.tools"],
    [TOOL]: ["gen_ai.tool.status"],
  },
  elsewhere: {
    "every mapping's provider": ["gen_ai.system"],
    "a name of a variable in its sources": ["accumulated_usage"],
  },
};

const MICROSOFT: Mapping = {
  dialect: "microsoft agent-framework",
  call: { attributes: CHAT },
  probes: [
    ...columns({
      "gen_ai.response.finish_reason": ["stop", { response_finish_reason: "stop" }],
      "gen_ai.prompt.name": ["define", { prompt_template_name: "define" }],
      "gen_ai.response.prompt_tokens": [7, { tokens_prompt: 7 }],
      "gen_ai.response.completion_tokens": [5, { tokens_completion: 5 }],
    }),
    probe({}, prompt(HI), {
      events: [{ name: "gen_ai.user.message", attributes: { "gen_ai.event.content": json({ role: "user", content: "Hi" }) } }],
    }),
  ],
  around: [{ ...CHAT, "gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "unknown", "gen_ai.usage.input_tokens": 631 }],
  kept: { [TOOL]: ["agent_framework.function.name"], "follows from the times of the row": ["gen_ai.client.operation.duration"] },
};

const ADK_REQUEST = json({ model: "g", contents: [{ role: "user", parts: [{ text: "Hi" }] }], config: { temperature: 0.5 } });
const GOOGLE_ADK: Mapping = {
  dialect: "google adk",
  call: { attributes: { "gen_ai.system": "gcp.vertex.agent", "gen_ai.request.model": "g", "gcp.vertex.agent.llm_request": "{}" } },
  probes: [
    ...columns({
      "gcp.vertex.agent.llm_request": [ADK_REQUEST, { ...prompt(HI), model_temperature: 0.5 }],
      "gcp.vertex.agent.llm_response": [
        json({
          content: { role: "model", parts: [{ text: "Ho" }] },
          usage_metadata: { prompt_token_count: 7, candidates_token_count: 5, cached_content_token_count: 3 },
        }),
        { ...response(HO), tokens_prompt: 7, tokens_completion: 5, tokens_cache_read: 3 },
      ],
      "gcp.vertex.agent.session_id": ["s", { conversation_id: "s" }],
    }),
    probe(
      { "openinference.span.kind": "LLM", "gen_ai.usage.input_tokens": 39, "llm.token_count.prompt": 39 },
      { tokens_prompt: 39, dialect: "openinference" },
    ),
  ],
  around: [
    {
      "gcp.vertex.agent.tool_call_args": "{}",
      "gcp.vertex.agent.tool_response": "{}",
      "gcp.vertex.agent.llm_request": "{}",
      "gen_ai.request.model": "g",
    },
  ],
  kept: { "an invocation of an agent is no batch run": ["gcp.vertex.agent.invocation_id", "gcp.vertex.agent.event_id"] },
};

const GENKIT: Mapping = {
  dialect: "genkit",
  call: { attributes: { "genkit:type": "action", "genkit:metadata:subtype": "model" } },
  probes: columns({
    "genkit:input": [
      json({ messages: [{ role: "user", content: [{ text: "Hi" }] }], config: { temperature: 0.5 }, tools: [{ name: "t" }] }),
      { ...prompt(HI), model_temperature: 0.5, tool_definitions: [{ name: "t" }] },
    ],
    "genkit:output": [
      json({
        message: { role: "model", content: [{ text: "Ho" }] },
        usage: { inputTokens: 13, outputTokens: 96, thoughtsTokens: 64, totalTokens: 109 },
      }),
      { ...response(HO), tokens_prompt: 13, tokens_completion: 96, tokens_reasoning: 64, tokens_total: 109 },
    ],
    "genkit:name": ["googleai/gemini-2.5-flash", { model_name: "gemini-2.5-flash", provider_name: "gcp.gemini" }],
    "genkit:metadata:subtype": ["embedder", { operation_name: "embeddings" }],
  }),
  around: ["tool", "retriever", "flow"].map((subtype) => ({
    "genkit:type": "action",
    "genkit:metadata:subtype": subtype,
    "genkit:output": json({ usage: { inputTokens: 5 } }),
  })),
};

export const PLATFORMS: readonly Mapping[] = [OPENLIT, LOGFIRE, STRANDS, MICROSOFT, GOOGLE_ADK, GENKIT];
