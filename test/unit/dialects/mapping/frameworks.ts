import {
  AGENT,
  BREAKDOWN,
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

const langchain = (type: string, content: string): object => ({
  lc: 1,
  type: "constructor",
  id: ["langchain_core", "messages", type],
  kwargs: { content },
});

const LANGSMITH: Mapping = {
  dialect: "langsmith otel",
  call: { attributes: { "langsmith.span.kind": "llm" } },
  probes: columns({
    "langsmith.span.kind": ["embedding", { operation_name: "embeddings" }],
    "gen_ai.prompt": [json({ messages: [[langchain("HumanMessage", "Hi")]] }), prompt(HI)],
    "gen_ai.completion": [json({ generations: [[{ message: langchain("AIMessage", "Ho") }]] }), response(HO)],
    "langsmith.usage_metadata": [json({ input_tokens: 7, output_tokens: 5 }), { tokens_prompt: 7, tokens_completion: 5 }],
    "gen_ai.usage.input_token_details": [json({ cache_read: 3 }), { tokens_cache_read: 3 }],
    "gen_ai.usage.output_token_details": [json({ reasoning: 3 }), { tokens_reasoning: 3 }],
    "langsmith.metadata.ls_provider": ["openai", { provider_name: "openai" }],
    "langsmith.metadata.ls_model_name": ["m", { model_name: "m" }],
    "langsmith.metadata.ls_temperature": [0.5, { model_temperature: 0.5 }],
    "langsmith.metadata.thread_id": ["t", { conversation_id: "t" }],
    "langsmith.metadata.session_id": ["t", { conversation_id: "t" }],
    "langsmith.metadata.revision_id": ["r", { additional_metadata: { revision_id: "r" } }],
    "langsmith.span.tags": ["a, b", { additional_metadata: { tags: ["a", "b"] } }],
    "gen_ai.request.extra_body": ["{}", { model_parameters: { extra_body: "{}" } }],
    "gen_ai.request.extra_query": ["{}", { model_parameters: { extra_query: "{}" } }],
    "langsmith.request.streaming": [true, { model_parameters: { stream: true } }],
  }),
  around: ["chain", "tool", "retriever", "prompt", "parser"].map((kind) => ({ "langsmith.span.kind": kind, "gen_ai.request.model": "m" })),
  kept: {
    "the name of a project, which is no conversation": ["langsmith.trace.session_id", "langsmith.trace.session_name"],
    [NO_COLUMN]: ["gen_ai.serialized.name"],
  },
};

const O = "langfuse.observation.";
const LANGFUSE: Mapping = {
  dialect: "langfuse sdk",
  call: { attributes: { "langfuse.observation.type": "generation" } },
  probes: [
    ...columns({
      [`${O}type`]: ["embedding", { operation_name: "embeddings" }],
      [`${O}input`]: [json([{ role: "user", content: "Hi" }]), prompt(HI)],
      [`${O}output`]: [json({ role: "assistant", content: "Ho" }), response(HO)],
      [`${O}model.name`]: ["m", { model_name: "m" }],
      [`${O}model.parameters`]: [json({ temperature: 0.5 }), { model_temperature: 0.5 }],
      [`${O}usage_details`]: [
        json({ input: 5, output: 40, input_cached_tokens: 3, total: 48 }),
        { tokens_prompt: 8, tokens_completion: 40, tokens_cache_read: 3, tokens_total: 48 },
      ],
      [`${O}cost_details`]: [json({ input: 0.1, output: 0.26 }), { cost_amount: "0.36", cost_currency: "USD" }],
      [`${O}completion_start_time`]: ['"2026-11-21T00:00:00.250Z"', { time_to_first_token_ms: 250 }],
      [`${O}prompt.name`]: ["define", { prompt_template_name: "define" }],
      [`${O}prompt.version`]: [3, { prompt_template_version: "3" }],
      "langfuse.prompt.name": ["define", { prompt_template_name: "define" }],
      "langfuse.prompt.version": [3, { prompt_template_version: "3" }],
      "user.id": ["u", { user_id: "u" }],
      "langfuse.user.id": ["u", { user_id: "u" }],
      "session.id": ["s", { conversation_id: "s" }],
      "langfuse.session.id": ["s", { conversation_id: "s" }],
      "langfuse.trace.tags": [["a"], { additional_metadata: { tags: ["a"] } }],
      "langfuse.trace.name": ["define", { additional_metadata: { trace_name: "define" } }],
      "langfuse.trace.metadata.chapter": ["3", { additional_metadata: { chapter: "3" } }],
      [`${O}metadata.chapter`]: ["3", { additional_metadata: { chapter: "3" } }],
      [`${O}metadata.langfuse_user_id`]: ["u", { user_id: "u" }],
      "langfuse.environment": ["staging", { additional_metadata: { environment: "staging" } }],
      "langfuse.release": ["v1", { additional_metadata: { release: "v1" } }],
      "langfuse.version": ["2", { additional_metadata: { version: "2" } }],
      [`${O}level`]: ["ERROR", { generation_status: "failed" }],
    }),
    probe({ [`${O}level`]: "FATAL", [`${O}status_message`]: "it broke" }, { generation_status: "failed", error_message: "it broke" }),
  ],
  around: ["event", "agent", "tool", "chain", "retriever", "guardrail", "evaluator"].map((type) => ({
    [`${O}type`]: type,
    [`${O}model.name`]: "m",
  })),
  kept: {
    "of the whole trace, which its calls tell": ["langfuse.trace.input", "langfuse.trace.output", "langfuse.trace.public"],
    "of an experiment around the call": ["langfuse.experiment.name"],
    "how Langfuse draws its tree": ["langfuse.internal.as_root", "langfuse.internal.is_app_root"],
  },
};

const LAMINAR: Mapping = {
  dialect: "laminar",
  call: { attributes: { "lmnr.span.type": "LLM", "gen_ai.request.model": "m" } },
  probes: [
    ...columns({
      "lmnr.span.input": [json([{ role: "user", content: "Hi" }]), prompt(HI)],
      "lmnr.span.output": ["Ho", { response_full_text: "Ho" }],
      "lmnr.span.prompt_hash": ["abc", { prompt_template_version: "abc" }],
      "lmnr.association.properties.session_id": ["s", { conversation_id: "s" }],
      "lmnr.association.properties.user_id": ["u", { user_id: "u" }],
      "lmnr.association.properties.trace_type": ["EVALUATION", { additional_metadata: { trace_type: "EVALUATION" } }],
      "lmnr.association.properties.metadata.chapter": ["3", { additional_metadata: { chapter: "3" } }],
      "lmnr.association.properties.tags": [["a"], { additional_metadata: { tags: ["a"] } }],
      "gen_ai.usage.cost": [0.36, { cost_amount: "0.36" }],
      "gen_ai.request.batch": [true, { model_parameters: { batch: true } }],
    }),
    probe({ "gen_ai.usage.input_cost": 0.1, "gen_ai.usage.output_cost": 0.26 }, { cost_amount: "0.36", cost_currency: "USD" }),
  ],
  around: ["TOOL", "DEFAULT", "EXECUTOR", "EVALUATOR"].map((type) => ({ "lmnr.span.type": type, "gen_ai.request.model": "m" })),
  kept: {
    "where the span stands in its tree": ["lmnr.span.path", "lmnr.span.ids_path"],
    [BREAKDOWN]: [
      "gen_ai.usage.cache_creation.input_tokens.ephemeral_5m",
      "gen_ai.usage.cache_creation.input_tokens.ephemeral_1h",
      "gen_ai.usage.audio_input_tokens",
    ],
  },
};

const MLFLOW: Mapping = {
  dialect: "mlflow",
  call: { attributes: { "mlflow.spanType": '"LLM"' } },
  probes: columns({
    "mlflow.spanType": ['"EMBEDDING"', { operation_name: "embeddings" }],
    "mlflow.llm.model": ['"m"', { model_name: "m" }],
    "mlflow.spanInputs": [json({ messages: [{ role: "user", content: "Hi" }] }), prompt(HI)],
    "mlflow.spanOutputs": [json({ choices: [{ message: { role: "assistant", content: "Ho" } }] }), response(HO)],
    "mlflow.chat.tokenUsage": [json({ input_tokens: 7, output_tokens: 5 }), { tokens_prompt: 7, tokens_completion: 5 }],
    "mlflow.chat.tools": [json([{ name: "t" }]), { tool_definitions: [{ name: "t" }] }],
  }),
  around: ["CHAIN", "AGENT", "TOOL", "RETRIEVER"].map((type) => ({ "mlflow.spanType": json(type), "mlflow.llm.model": '"m"' })),
  kept: { "MLflow's own id of the trace": ["mlflow.traceRequestId"] },
};

const CLAUDE_CODE: Mapping = {
  dialect: "claude code",
  call: { attributes: { "span.type": "llm_request" } },
  probes: columns({
    model: ["claude-sonnet-4-5", { model_name: "claude-sonnet-4-5" }],
    input_tokens: ["5", { tokens_prompt: 5 }],
    output_tokens: [40, { tokens_completion: 40 }],
    cache_read_tokens: [9, { tokens_prompt: 9, tokens_cache_read: 9 }],
    cache_creation_tokens: [3, { tokens_prompt: 3, tokens_cache_write: 3 }],
    user_prompt: ["Hi", { prompt_full_text: "Hi" }],
    new_context: ["Hi", { prompt_full_text: "Hi" }],
    system_prompt_preview: ["Be terse", { system_instructions: "Be terse" }],
    "response.model_output": ["Ho", { response_full_text: "Ho" }],
    stop_reason: ["tool_use", { response_finish_reason: "tool_call" }],
    cost_usd: [0.36, { cost_amount: "0.36", cost_currency: "USD" }],
    "session.id": ["s", { conversation_id: "s" }],
  }),
  around: ["claude_code.interaction", "claude_code.tool", "tool", "hook"].map((type) => ({
    "span.type": type,
    model: "m",
    input_tokens: 5,
  })),
  kept: { [NO_COLUMN]: ["response.has_tool_call"], [TOOL]: ["tool_input"] },
  elsewhere: {
    "rows/event-calls.test.ts: its log events are calls of their own": [
      "claude_code.api_request",
      "duration_ms",
      "api_error",
      "status_code",
      "tool_result",
      "tool_decision",
      "prompt.id",
      "event.sequence",
    ],
    "an event of a tool's span": ["tool.output"],
    "metrics repeat what its events tell": ["claude_code.token.usage", "claude_code.cost.usage"],
  },
};

const CLI = { "gen_ai.agent.name": "gemini-cli", "gen_ai.operation.name": "llm_call", "gen_ai.request.model": "g" };
const contents = (role: string, ...texts: readonly string[]): string => json(texts.map((one) => ({ role, parts: [{ text: one }] })));
const GEMINI_CLI: Mapping = {
  dialect: "gemini cli",
  call: { attributes: CLI },
  probes: columns({
    "gen_ai.input.messages": [contents("user", "Hi"), prompt(HI)],
    "gen_ai.output.messages": [contents("model", "H", "o"), response(HO)],
  }),
  around: ["tool_call", "agent_call", "user_prompt", "system_prompt", "schedule_tool_calls"].map((operation) => ({
    ...CLI,
    "gen_ai.operation.name": operation,
  })),
  elsewhere: { "above: the call itself": ["llm_call", "gemini-cli"] },
};

const LITELLM: Mapping = {
  dialect: "litellm",
  call: {
    name: "litellm_request",
    attributes: { "gen_ai.system": "openai", "gen_ai.request.model": "m", "llm.request.type": "acompletion" },
  },
  probes: [
    ...columns({
      "llm.is_streaming": ["True", { model_parameters: { stream: true } }],
      "llm.user": ["u", { user_id: "u" }],
      "metadata.user_api_key_alias": ["team-a", { additional_metadata: { user_api_key_alias: "team-a" } }],
      hidden_params: [json({ response_cost: 0.36 }), { cost_amount: "0.36", operation_name: "chat" }],
      "gen_ai.cost.total_cost": [0.36, { cost_amount: "0.36", cost_currency: "USD" }],
      "gen_ai.completion": [json({ completion: "Ho", rawRequest: { trace: { id: "t" } } }), response(HO)],
    }),
    probe({ "gen_ai.cost.input_cost": 0.1, "gen_ai.cost.output_cost": 0.26 }, { cost_amount: "0.36", cost_currency: "USD" }),
  ],
  kept: { [NO_COLUMN]: ["llm.request.id", "llm.response.id"] },
  elsewhere: { "a resource's name": ["service.name"], "above: what a failed request echoes": ["rawRequesttrace"] },
};

const LIVEKIT: Mapping = {
  dialect: "livekit",
  call: { name: "llm_request", attributes: { "gen_ai.request.model": "m", "gen_ai.operation.name": "chat" } },
  probes: columns({
    "lk.input_text": ["Hi", { prompt_full_text: "Hi" }],
    "lk.user_transcript": ["Hi", { prompt_full_text: "Hi" }],
    "lk.user_input": ["Hi", { prompt_full_text: "Hi" }],
    "lk.chat_ctx": [json({ items: [{ role: "user", content: ["Hi"] }] }), prompt(HI)],
    "lk.response.text": ["Ho", { response_full_text: "Ho" }],
    "lk.response.function_calls": [
      json([{ type: "function_call", call_id: "c1", name: "t", arguments: "{}" }]),
      { response_full_text: [{ parts: [{ type: "tool_call", id: "c1", name: "t", arguments: {} }] }] },
    ],
    "lk.retry_count": [1, { attempts_count: 2 }],
    "lk.instructions": ["Be terse", { system_instructions: "Be terse" }],
    "lk.room_name": ["room", { conversation_id: "room" }],
    "lk.participant_identity": ["u", { user_id: "u" }],
  }),
  kept: {
    [AGENT]: ["lk.agent_name", "lk.generation_id", "lk.job_id"],
    [TOOL]: ["lk.function_tool.output", "lk.function_tool.name", "lk.function_tool.id", "lk.function_tool.arguments"],
  },
};

const KOOG: Mapping = {
  dialect: "koog",
  call: { attributes: CHAT },
  probes: [
    probe({ "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Hi" }, prompt(HI)),
    probe({ "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "Ho" }, response(HO)),
    probe({ "gen_ai.operation.name": "embeddings" }, { operation_name: "embeddings" }),
  ],
  kept: { [AGENT]: ["koog.agent.name", "koog.node.name"] },
};

const HAYSTACK: Mapping = {
  dialect: "haystack",
  call: { attributes: { "haystack.component.type": "OpenAIChatGenerator" } },
  probes: columns({
    "haystack.component.type": ["OpenAITextEmbedder", { operation_name: "embeddings" }],
    "haystack.component.input": [json({ messages: [{ role: "user", content: "Hi" }] }), prompt(HI)],
    "haystack.component.output": [
      json({ replies: [{ role: "assistant", content: "Ho", meta: { model: "m", usage: { prompt_tokens: 7, completion_tokens: 5 } } }] }),
      { ...response(HO), model_name: "m", tokens_prompt: 7, tokens_completion: 5 },
    ],
  }),
  around: [
    { "haystack.pipeline.input_data": "{}", "haystack.pipeline.output_data": "{}", "gen_ai.request.model": "m" },
    { "haystack.component.type": "PromptBuilder", "haystack.component.input": "{}" },
    { "haystack.component.type": "Agent", "haystack.agent.step.llm": "{}", "haystack.tool.name": "t" },
  ],
  kept: { [NO_COLUMN]: ["haystack.component.name", "haystack.component.input_spec"] },
};

const VOLTAGENT: Mapping = {
  dialect: "voltagent",
  call: { attributes: { "span.type": "llm", "entity.type": "agent" } },
  probes: columns({
    "llm.messages": [json([{ role: "user", content: "Hi" }]), prompt(HI)],
    "agent.messages": [json([{ role: "user", content: "Hi" }]), prompt(HI)],
    input: ["Hi", { prompt_full_text: "Hi" }],
    output: ["Ho", { response_full_text: "Ho" }],
    "usage.prompt_tokens": [7, { tokens_prompt: 7 }],
    "usage.completion_tokens": [5, { tokens_completion: 5 }],
    "usage.total_tokens": [12, { tokens_total: 12 }],
    "llm.usage.prompt_tokens": [7, { tokens_prompt: 7 }],
    "llm.model": ["m", { model_name: "m" }],
    "llm.temperature": [0.5, { model_temperature: 0.5 }],
  }),
  around: [
    { "entity.type": "agent", "agent.messages": "[]", "usage.prompt_tokens": 9 },
    ...["tool", "memory"].map((type) => ({ "entity.type": "agent", "span.type": type, "usage.prompt_tokens": 9 })),
  ],
};

const SPRING: Mapping = {
  dialect: "spring ai",
  call: { attributes: CHAT },
  probes: [
    probe(
      {},
      { prompt_full_text: "Hi", response_full_text: "Ho" },
      {
        events: [
          { name: "gen_ai.content.prompt", attributes: { "gen_ai.prompt": "Hi" } },
          { name: "gen_ai.content.completion", attributes: { "gen_ai.completion": "Ho" } },
        ],
      },
    ),
  ],
  around: [{ ...CHAT, "spring.ai.kind": "advisor", "gen_ai.operation.name": "framework" }],
};

const FLUE: Mapping = {
  dialect: "flue",
  call: { scope: "@flue/opentelemetry", attributes: CHAT },
  probes: columns({
    "flue.turn.input": [
      json({ systemPrompt: "Be terse", messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }], tools: [{ name: "t" }] }),
      { ...prompt(HI), system_instructions: "Be terse", tool_definitions: [{ name: "t" }] },
    ],
    "flue.turn.output": [json({ role: "assistant", content: [{ type: "text", text: "Ho" }] }), response(HO)],
    "flue.reasoning": ["low", { model_reasoning_level: "low" }],
  }),
  around: [
    { ...CHAT, "flue.tool.arguments": "{}", "flue.tool.result": "1" },
    { ...CHAT, "flue.task.prompt": "Hi", "flue.task.result": "Ho" },
    { ...CHAT, "flue.workflow.payload": "{}", "flue.workflow.result": "1" },
  ],
};

const BARE: Mapping = {
  dialect: "smolagents / pipecat",
  call: { attributes: { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai" } },
  probes: columns({
    input: [json([{ role: "user", content: "Hi" }]), prompt(HI)],
    output: ["Ho", { response_full_text: "Ho" }],
    "input.value": ["Hi", { prompt_full_text: "Hi" }],
    "output.value": [json([message("assistant", text("Ho"))]), response(HO)],
    prompt: ["Hi", { prompt_full_text: "Hi" }],
    model: ["m", { model_name: "m" }],
    thread_id: ["t", { conversation_id: "t" }],
  }),
  around: [{ input: "Hi", output: "Ho", model: "m", prompt: "p", thread_id: "t" }],
};

export const FRAMEWORKS: readonly Mapping[] = [
  LANGSMITH,
  LANGFUSE,
  LAMINAR,
  MLFLOW,
  CLAUDE_CODE,
  GEMINI_CLI,
  LITELLM,
  LIVEKIT,
  KOOG,
  HAYSTACK,
  VOLTAGENT,
  SPRING,
  FLUE,
  BARE,
];
