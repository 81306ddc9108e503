import { holdsFacts, isOpenSetting, keptFacts } from "./content-facts.ts";

/**
 * Names of attributes that hold what people and models said to each other: messages, instructions, arguments and results of tools, pictures.
 * Sources: the content concepts of every dialect, and the habit of ending such names in input, output, messages or content.
 */
const CONTENT_NAMES: ReadonlySet<string> = new Set(
  `gen_ai.prompt gen_ai.tool.definitions gen_ai.tool.call.result gen_ai.tool.description gen_ai.response.image gen_ai.content.revised_prompt
  gen_ai.content.prompt gen_ai.event.content genspan.prompt.modules genspan.image.request genspan.image.response genspan.attempt.request
  genspan.attempt.response prompt user_prompt new_context system_prompt_preview tool_input tool_result tool_parameters tool_arguments tool_response
  response.model_output final_result events all_messages_events request_data response_data logfire.msg input.value output.value
  mcp.request.argument mcp.response.value traceloop.prompt.template traceloop.prompt.template_variables llm.prompt_template.template
  llm.prompt_template.variables ai.prompt ai.prompt.tools ai.response.text ai.response.object ai.response.toolCalls ai.response.files ai.result.text
  ai.result.object ai.result.toolCalls ai.toolCall.result ai.value ai.values ai.documents ai.embedding ai.embeddings lk.input_text lk.user_transcript lk.chat_ctx
  lk.user_input lk.response.text lk.response.function_calls gcp.vertex.agent.llm_request gcp.vertex.agent.llm_response
  gcp.vertex.agent.tool_call_args gcp.vertex.agent.tool_response gcp.vertex.agent.data mlflow.spanInputs mlflow.spanOutputs
  gen_ai.retrieval.documents gen_ai.retrieval.query.text flue.tool.result flue.task.prompt flue.task.result flue.workflow.payload
  flue.workflow.result mlflow.chat.tools model_request_parameters tool.parameters gen_ai.evaluation.explanation gen_ai.response.revised_prompt
  gen_ai.tool.args ai.schema ai.schema.description ai.response.reasoningText llm.function_call gen_ai.prompt.variables crew_tasks crew_agents crew_inputs ai.settings.output ai.request.body ai.response.body ai.ranking tool.json_schema tool.description
  image.url audio.url request response llm.request llm.response logfire.feedback.comment gen_ai.request.extra_query`.split(/\s+/),
);

const CONTENT_PREFIXES = [
  "gen_ai.prompt.variable.",
  "llm.input_messages.",
  "llm.output_messages.",
  "llm.prompts.",
  "llm.choices.",
  "llm.tools.",
  "llm.request.functions.",
  "retrieval.documents.",
  "reranker.",
  "embedding.embeddings.",
  "gen_ai.serialized.",
  "langgraph.command.",
];

/** `gen_ai.prompt.0.content` and its like, and names by habit. */
const CONTENT_FORMS =
  /^gen_ai\.(?:prompt|completion)\.\d|(?:^|[._:])(?:inputs?|outputs?|messages|content|arguments|args|completion|transcript|choices|candidates|reasoning|system_instructions|instructions|tool_calls|(?:input|output)_(?:data|text)|prompts?|thinking|documents|explanation|logprobs|b64_json|api_(?:request|response)_body)$/;

/** LiteLLM's dump of a provider's request, one attribute for each of its members. */
const PROVIDER_DUMP = /^llm\.[\w-]+\.(?:system|system_instruction|tools|functions|contents|suffix|metadata|complete_input_dict)$/;

/** Events of the conventions, and the one with which Claude Code tells what a tool gave. */
const CONTENT_EVENTS = /^(?:gen_ai\.|tool\.output$)/;
/** What their attributes with bare names tell besides content; any other of them may be the message. */
const EVENT_FACTS = /\.|^(?:role|id|index|finish_reason|name|tool_call_id|type|system)$/;

/** Claude Code sends whole requests and answers of its provider, where it is told to. */
const BODY_EVENTS = /(?:^|\.)api_(?:request|response)_body$/;

/** Whether the body of a log record with this event name is content. */
export const hasContentBody = (event: string): boolean => CONTENT_EVENTS.test(event);

/** Whether an attribute of this name holds content; `event` names the event or log record that it belongs to. Numbers and flags never are content. */
export const isContentName = (name: string, event = ""): boolean =>
  CONTENT_NAMES.has(name) ||
  CONTENT_PREFIXES.some((prefix) => name.startsWith(prefix)) ||
  CONTENT_FORMS.test(name) ||
  PROVIDER_DUMP.test(name) ||
  holdsFacts(name) ||
  (name === "message" && hasContentBody(event)) ||
  (name === "body" && BODY_EVENTS.test(event));

/** Whether an attribute may hold content where its value is a text: open settings, and bare names in an event of content. */
export const mayBeContent = (name: string, event = ""): boolean =>
  isOpenSetting(name) || (hasContentBody(event) && !EVENT_FACTS.test(name));

/** What stays of the text of an attribute that holds or may hold content, as text; undefined where nothing does. */
export const factsIn = (name: string, text: string): string | undefined => keptFacts(name, text, isContentName(name));
