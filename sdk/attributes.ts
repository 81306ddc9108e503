/**
 * Every attribute name that genspan writes or reads, and nothing else: no imports, no logic.
 *
 * Source of the `gen_ai.*`, `openai.*`, `mcp.*` and `aws.bedrock.*` names: the OpenTelemetry semantic conventions for generative AI,
 * v1.26 (2024-05) to the state of their own repository in autumn 2026. Constants carry the name of their attribute, so none needs a
 * comment of its own; the version in which a name appeared stands behind it.
 */

// ── Current names of the semantic conventions ──
export const GEN_AI_REQUEST_MODEL = "gen_ai.request.model"; // v1.26.0
export const GEN_AI_REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"; // v1.26.0
export const GEN_AI_REQUEST_TEMPERATURE = "gen_ai.request.temperature"; // v1.26.0
export const GEN_AI_REQUEST_TOP_P = "gen_ai.request.top_p"; // v1.26.0
export const GEN_AI_RESPONSE_ID = "gen_ai.response.id"; // v1.26.0
export const GEN_AI_RESPONSE_MODEL = "gen_ai.response.model"; // v1.26.0
export const GEN_AI_RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"; // v1.26.0
export const GEN_AI_REQUEST_TOP_K = "gen_ai.request.top_k"; // v1.27.0
export const GEN_AI_REQUEST_STOP_SEQUENCES = "gen_ai.request.stop_sequences"; // v1.27.0
export const GEN_AI_REQUEST_FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty"; // v1.27.0
export const GEN_AI_REQUEST_PRESENCE_PENALTY = "gen_ai.request.presence_penalty"; // v1.27.0
export const GEN_AI_USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens"; // v1.27.0
export const GEN_AI_USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"; // v1.27.0
export const GEN_AI_OPERATION_NAME = "gen_ai.operation.name"; // v1.27.0
export const GEN_AI_REQUEST_ENCODING_FORMATS = "gen_ai.request.encoding_formats"; // v1.29.0
export const GEN_AI_REQUEST_SEED = "gen_ai.request.seed"; // v1.30.0
export const GEN_AI_REQUEST_CHOICE_COUNT = "gen_ai.request.choice.count"; // v1.31.0
export const GEN_AI_AGENT_ID = "gen_ai.agent.id"; // v1.31.0
export const GEN_AI_AGENT_NAME = "gen_ai.agent.name"; // v1.31.0
export const GEN_AI_AGENT_DESCRIPTION = "gen_ai.agent.description"; // v1.31.0
export const GEN_AI_TOOL_NAME = "gen_ai.tool.name"; // v1.31.0
export const GEN_AI_TOOL_CALL_ID = "gen_ai.tool.call.id"; // v1.31.0
export const GEN_AI_TOOL_TYPE = "gen_ai.tool.type"; // v1.31.0
export const GEN_AI_OUTPUT_TYPE = "gen_ai.output.type"; // v1.31.0
export const GEN_AI_TOOL_DESCRIPTION = "gen_ai.tool.description"; // v1.33.0
export const AWS_BEDROCK_GUARDRAIL_ID = "aws.bedrock.guardrail.id"; // v1.34.0
export const AWS_BEDROCK_KNOWLEDGE_BASE_ID = "aws.bedrock.knowledge_base.id"; // v1.34.0
export const GEN_AI_CONVERSATION_ID = "gen_ai.conversation.id"; // v1.34.0
export const GEN_AI_DATA_SOURCE_ID = "gen_ai.data_source.id"; // v1.34.0
export const GEN_AI_PROVIDER_NAME = "gen_ai.provider.name"; // v1.37.0
export const GEN_AI_SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"; // v1.37.0
export const GEN_AI_INPUT_MESSAGES = "gen_ai.input.messages"; // v1.37.0
export const GEN_AI_OUTPUT_MESSAGES = "gen_ai.output.messages"; // v1.37.0
export const OPENAI_REQUEST_SERVICE_TIER = "openai.request.service_tier"; // v1.37.0
export const OPENAI_RESPONSE_SERVICE_TIER = "openai.response.service_tier"; // v1.37.0
export const OPENAI_RESPONSE_SYSTEM_FINGERPRINT = "openai.response.system_fingerprint"; // v1.37.0
export const GEN_AI_TOOL_CALL_ARGUMENTS = "gen_ai.tool.call.arguments"; // v1.38.0
export const GEN_AI_TOOL_CALL_RESULT = "gen_ai.tool.call.result"; // v1.38.0
export const GEN_AI_TOOL_DEFINITIONS = "gen_ai.tool.definitions"; // v1.38.0
export const GEN_AI_EMBEDDINGS_DIMENSION_COUNT = "gen_ai.embeddings.dimension.count"; // v1.38.0
export const GEN_AI_EVALUATION_NAME = "gen_ai.evaluation.name"; // v1.38.0
export const GEN_AI_EVALUATION_SCORE_VALUE = "gen_ai.evaluation.score.value"; // v1.38.0
export const GEN_AI_EVALUATION_SCORE_LABEL = "gen_ai.evaluation.score.label"; // v1.38.0
export const GEN_AI_EVALUATION_EXPLANATION = "gen_ai.evaluation.explanation"; // v1.38.0
export const GEN_AI_PROMPT_NAME = "gen_ai.prompt.name"; // v1.39.0
export const MCP_METHOD_NAME = "mcp.method.name"; // v1.39.0
export const MCP_SESSION_ID = "mcp.session.id"; // v1.39.0
export const MCP_RESOURCE_URI = "mcp.resource.uri"; // v1.39.0
export const MCP_PROTOCOL_VERSION = "mcp.protocol.version"; // v1.39.0
export const GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.cache_read.input_tokens"; // v1.40.0
export const GEN_AI_AGENT_VERSION = "gen_ai.agent.version"; // v1.40.0
export const GEN_AI_RETRIEVAL_DOCUMENTS = "gen_ai.retrieval.documents"; // v1.40.0
export const GEN_AI_RETRIEVAL_QUERY_TEXT = "gen_ai.retrieval.query.text"; // v1.40.0
export const OPENAI_API_TYPE = "openai.api.type"; // v1.40.0
export const GEN_AI_REQUEST_STREAM = "gen_ai.request.stream"; // v1.41.0
export const GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"; // v1.41.0
export const GEN_AI_USAGE_REASONING_OUTPUT_TOKENS = "gen_ai.usage.reasoning.output_tokens"; // v1.41.0
export const GEN_AI_WORKFLOW_NAME = "gen_ai.workflow.name"; // v1.41.0
export const GEN_AI_REQUEST_REASONING_LEVEL = "gen_ai.request.reasoning.level"; // 2026-08
export const GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID = "gen_ai.request.previous_response.id"; // 2026-08
export const GEN_AI_REQUEST_STREAM_CURSOR = "gen_ai.request.stream_cursor"; // 2026-08
export const GEN_AI_RESPONSE_STATUS = "gen_ai.response.status"; // 2026-08
export const GEN_AI_CONVERSATION_COMPACTED = "gen_ai.conversation.compacted"; // 2026-08
export const GEN_AI_RETRIEVAL_TOP_K = "gen_ai.retrieval.top_k"; // 2026-08
export const GEN_AI_MEMORY_STORE_ID = "gen_ai.memory.store.id"; // 2026-08
export const GEN_AI_MEMORY_RECORD_ID = "gen_ai.memory.record.id"; // 2026-08
export const GEN_AI_MEMORY_RECORD_COUNT = "gen_ai.memory.record.count"; // 2026-08
export const GEN_AI_MEMORY_QUERY_TEXT = "gen_ai.memory.query.text"; // 2026-08
export const GEN_AI_MEMORY_RECORDS = "gen_ai.memory.records"; // 2026-08
export const GEN_AI_PROMPT_VERSION = "gen_ai.prompt.version"; // 2026-08
export const JSONRPC_PROTOCOL_VERSION = "jsonrpc.protocol.version"; // v1.39.0
export const JSONRPC_REQUEST_ID = "jsonrpc.request.id"; // v1.39.0
export const GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS = "gen_ai.usage.cache_write.input_tokens"; // 2026-08
export const GEN_AI_USAGE_TEXT_INPUT_TOKENS = "gen_ai.usage.text.input_tokens"; // 2026-08
export const GEN_AI_USAGE_IMAGE_INPUT_TOKENS = "gen_ai.usage.image.input_tokens"; // 2026-08
export const GEN_AI_USAGE_AUDIO_INPUT_TOKENS = "gen_ai.usage.audio.input_tokens"; // 2026-08
export const GEN_AI_USAGE_TEXT_OUTPUT_TOKENS = "gen_ai.usage.text.output_tokens"; // 2026-08
export const GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS = "gen_ai.usage.image.output_tokens"; // 2026-08
export const GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS = "gen_ai.usage.audio.output_tokens"; // 2026-08
export const GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.text.cache_read.input_tokens"; // 2026-08
export const GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.image.cache_read.input_tokens"; // 2026-08
export const GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.audio.cache_read.input_tokens"; // 2026-08
export const GEN_AI_TOKEN_MODALITY = "gen_ai.token.modality"; // 2026-08
export const GEN_AI_MAIN_AGENT_ID = "gen_ai.main_agent.id"; // 2026-08
export const GEN_AI_MAIN_AGENT_NAME = "gen_ai.main_agent.name"; // 2026-08
export const GEN_AI_MAIN_AGENT_DESCRIPTION = "gen_ai.main_agent.description"; // 2026-08
export const GEN_AI_SKILL_NAME = "gen_ai.skill.name"; // 2026-08
export const GEN_AI_SKILL_DESCRIPTION = "gen_ai.skill.description"; // 2026-08
export const GEN_AI_SKILL_SOURCE_URI = "gen_ai.skill.source.uri"; // 2026-08
export const GEN_AI_SKILL_RESOURCE_NAME = "gen_ai.skill.resource.name"; // 2026-08

/** `gen_ai.prompt.variable.<key>`: one attribute per variable of a prompt template (2026-08). */
export const GEN_AI_PROMPT_VARIABLE_PREFIX = "gen_ai.prompt.variable.";

// ── Names that the conventions have replaced; still sent by released instrumentations, never written by us ──

export const GEN_AI_SYSTEM = "gen_ai.system"; // v1.26.0, deprecated v1.37.0 for gen_ai.provider.name
export const GEN_AI_USAGE_PROMPT_TOKENS = "gen_ai.usage.prompt_tokens"; // v1.26.0, deprecated v1.27.0 for gen_ai.usage.input_tokens
export const GEN_AI_USAGE_COMPLETION_TOKENS = "gen_ai.usage.completion_tokens"; // v1.26.0, deprecated v1.27.0 for gen_ai.usage.output_tokens
export const GEN_AI_USAGE_TOTAL_TOKENS = "gen_ai.usage.total_tokens"; // never in the conventions; sent by several instrumentations
export const GEN_AI_PROMPT = "gen_ai.prompt"; // v1.26.0, deprecated v1.28.0
export const GEN_AI_COMPLETION = "gen_ai.completion"; // v1.26.0, deprecated v1.28.0
export const GEN_AI_TOKEN_TYPE = "gen_ai.token.type"; // v1.27.0, deprecated removed from genai-main after #374
export const GEN_AI_OPENAI_REQUEST_SEED = "gen_ai.openai.request.seed"; // v1.28.0, deprecated v1.30.0 for gen_ai.request.seed
export const GEN_AI_OPENAI_REQUEST_RESPONSE_FORMAT = "gen_ai.openai.request.response_format"; // v1.28.0, deprecated v1.31.0 for gen_ai.output.type
export const GEN_AI_OPENAI_REQUEST_SERVICE_TIER = "gen_ai.openai.request.service_tier"; // v1.28.0, deprecated v1.37.0 for openai.request.service_tier
export const GEN_AI_OPENAI_RESPONSE_SERVICE_TIER = "gen_ai.openai.response.service_tier"; // v1.28.0, deprecated v1.37.0 for openai.response.service_tier
export const GEN_AI_OPENAI_RESPONSE_SYSTEM_FINGERPRINT = "gen_ai.openai.response.system_fingerprint"; // v1.29.0, deprecated v1.37.0 for openai.response.system_fingerprint
export const GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS = "gen_ai.usage.cache_creation.input_tokens"; // v1.40.0, deprecated genai-main after 2026-08-08 for gen_ai.usage.cache_write.input_tokens (genai PR #440, merged Aug 2026)

// ── Proposed and not merged; read where a sender is ahead of the conventions ──

export const GEN_AI_INVOCATION_IS_NESTED = "gen_ai.invocation.is_nested"; // proposal
export const GEN_AI_USAGE_COST_AMOUNT = "gen_ai.usage.cost.amount"; // proposal
export const GEN_AI_USAGE_COST_CURRENCY = "gen_ai.usage.cost.currency"; // proposal
export const GEN_AI_USAGE_COST_SOURCE = "gen_ai.usage.cost.source"; // proposal
export const GEN_AI_INPUT_MESSAGES_REF = "gen_ai.input.messages_ref"; // proposal
export const GEN_AI_OUTPUT_MESSAGES_REF = "gen_ai.output.messages_ref"; // proposal
export const GEN_AI_SYSTEM_INSTRUCTIONS_REF = "gen_ai.system_instructions_ref"; // proposal
export const GEN_AI_CALLER_TYPE = "gen_ai.caller.type"; // proposal
export const GEN_AI_CALLER_NAME = "gen_ai.caller.name"; // proposal
export const GEN_AI_LIVE_SESSION_ID = "gen_ai.live_session.id"; // proposal
export const GEN_AI_AGENT_TURN = "gen_ai.agent.turn"; // proposal
export const GEN_AI_TOKEN_CACHE = "gen_ai.token.cache"; // proposal
export const GEN_AI_TOKEN_PHASE = "gen_ai.token.phase"; // proposal
export const GEN_AI_USAGE_VIDEO_INPUT_TOKENS = "gen_ai.usage.video.input_tokens"; // proposal

// ── Event names ──

export const EVENT_INFERENCE_DETAILS = "gen_ai.client.inference.operation.details"; // v1.37
export const EVENT_EVALUATION_RESULT = "gen_ai.evaluation.result"; // v1.38
export const EVENT_OPERATION_EXCEPTION = "gen_ai.client.operation.exception"; // v1.41
export const EVENT_SYSTEM_MESSAGE = "gen_ai.system.message"; // v1.28, deprecated v1.37
export const EVENT_USER_MESSAGE = "gen_ai.user.message"; // v1.28, deprecated v1.37
export const EVENT_ASSISTANT_MESSAGE = "gen_ai.assistant.message"; // v1.28, deprecated v1.37
export const EVENT_TOOL_MESSAGE = "gen_ai.tool.message"; // v1.28, deprecated v1.37
export const EVENT_CHOICE = "gen_ai.choice"; // v1.28, deprecated v1.37
export const EVENT_CONTENT_PROMPT = "gen_ai.content.prompt"; // v1.26, deprecated v1.28
export const EVENT_CONTENT_COMPLETION = "gen_ai.content.completion"; // v1.26, deprecated v1.28
export const EVENT_EXCEPTION = "exception";

// ── General conventions that matter here ──

export const SERVICE_NAME = "service.name";
export const SERVICE_VERSION = "service.version";
export const SERVICE_INSTANCE_ID = "service.instance.id";
export const DEPLOYMENT_ENVIRONMENT_NAME = "deployment.environment.name";
export const DEPLOYMENT_ENVIRONMENT = "deployment.environment"; // deprecated for deployment.environment.name
export const ERROR_TYPE = "error.type";
export const EXCEPTION_TYPE = "exception.type";
export const EXCEPTION_MESSAGE = "exception.message";
export const EXCEPTION_STACKTRACE = "exception.stacktrace";
export const EVENT_NAME = "event.name"; // on log records sent before the top-level eventName
export const USER_ID = "user.id";
export const ENDUSER_ID = "enduser.id";
export const SESSION_ID = "session.id";
export const SERVER_ADDRESS = "server.address";
export const SERVER_PORT = "server.port";
export const HTTP_REQUEST_RESEND_COUNT = "http.request.resend_count";
export const HTTP_RESPONSE_STATUS_CODE = "http.response.status_code";

// ── genspan's own names: only what the conventions lack ──

/**
 * What a record of ours is: pending | update | attempt | image | item | run. Records are ordinary spans:
 * - `image`, `item`, `run`: the thing itself, from its start to its end, told once and complete.
 * - `pending`: a span without duration *below* the thing that has begun (its parent is the span that will end later), with what is known then. It announces
 *   a run where it carries `genspan.run.status`, an image where it carries `genspan.image.request` or `.status`, else a generation.
 * - `update`: a span without duration below what it speaks about; the latest one wins attribute by attribute, whatever their order of arrival.
 * - `attempt`: one try, from its start to its end, below the generation or image that it is a try of.
 */
export const GENSPAN_RECORD = "genspan.record";
/** On a pending record: the parent of the call that it announces, as 16 hexadecimal digits; absent where the call has none. */
export const GENSPAN_PENDING_PARENT = "genspan.pending.parent";
/** `true` on a finished call of which a pending record was sent before: its row is then looked for and replaced. Where none is there, it does no harm. */
export const GENSPAN_PENDING_SENT = "genspan.pending.sent";

/** JSON text of an object of facts of the application's own: the column additional_metadata. On an update: what is added to it. */
export const GENSPAN_METADATA = "genspan.metadata";
/** `text` where the prompt was one plain text, which `gen_ai.input.messages` holds as its only part. */
export const GENSPAN_PROMPT_FORMAT = "genspan.prompt.format";
/** `true` where a text of the prompt or the answer was too long and was cut. */
export const GENSPAN_CONTENT_TRUNCATED = "genspan.content.truncated";
/** When the provider made the answer, in seconds since the epoch, an integer. */
export const GENSPAN_RESPONSE_CREATED_AT = "genspan.response.created_at";

// A run: one batch job. `genspan.record` = run is its final record: the span's start and end are started_at and completed_at. Its pending record says "running"
// at the start; an update below it carries a newer summary while it runs and never makes a finished run running again.
/** The run, by a uuid that is its id in generation_runs. Stands on the run's own records and on every generation, item and image made within it. */
export const GENSPAN_RUN_ID = "genspan.run.id";
/** What kind of job, in the application's words (questions, lessons …); duration and stuck runs are judged per kind. */
export const GENSPAN_RUN_KIND = "genspan.run.kind";
/** running | success | partial_failure | failed. */
export const GENSPAN_RUN_STATUS = "genspan.run.status";
/** Exit code of the job as an integer; absent while it runs. */
export const GENSPAN_RUN_EXIT_CODE = "genspan.run.exit_code";
/** Number of items that were asked for, an integer: the column items_requested. */
export const GENSPAN_RUN_REQUESTED = "genspan.run.requested";
/** scheduler | manual | webhook, or any other word: the column triggered_by. */
export const GENSPAN_RUN_TRIGGERED_BY = "genspan.run.triggered_by";
/**
 * JSON text of one object whose keys are the columns of generation_runs, counts and breakdowns and rates (items_requested … error_summary, prompt_version,
 * arbiter_config_version, min_arbiter_score_threshold); what is unknown is left out. Where another attribute says the same, both say it alike.
 */
export const GENSPAN_RUN_SUMMARY = "genspan.run.summary";
/** JSON text of an object of the application's own. */
export const GENSPAN_RUN_METADATA = "genspan.run.metadata";

// An item: one produced thing made by several generations, such as a quiz problem and its sentences. Its record carries `genspan.quality.*` and `genspan.entity.*` as a
// generation does, `gen_ai.prompt.version`, and an error status when it failed. Its totals and its generation_trace are no attributes: they are made from the generations that name it.
/** The item, by a uuid that is its id in generation_items; on the item's own record and on each of its generations. */
export const GENSPAN_ITEM_ID = "genspan.item.id";
/** What it is, in the application's words: problem, lesson, article. */
export const GENSPAN_ITEM_KIND = "genspan.item.kind";
/** What people call it in a list. */
export const GENSPAN_ITEM_TITLE = "genspan.item.title";
/** Place of a generation within its item (a sentence within its problem), an integer from 0; the order of generation_trace.sentences. */
export const GENSPAN_ITEM_INDEX = "genspan.item.index";
/** JSON text of an object of the application's own, kept as generation_trace.metadata. */
export const GENSPAN_ITEM_METADATA = "genspan.item.metadata";

// An attempt: its span has the try's own start, end and error status, `gen_ai.request.model` and `gen_ai.provider.name`; for an image also genspan.image.request and .response.
/** 1 for the first try, an integer. */
export const GENSPAN_ATTEMPT_NUMBER = "genspan.attempt.number";
/** "success", else a short word for what went wrong, the same as error.type. */
export const GENSPAN_ATTEMPT_OUTCOME = "genspan.attempt.outcome";
/** Why this try was made or failed, in words. */
export const GENSPAN_ATTEMPT_REASON = "genspan.attempt.reason";
/** Wait before this try in milliseconds. */
export const GENSPAN_ATTEMPT_DELAY_MS = "genspan.attempt.delay_ms";
/** HTTP status of the provider's answer, an integer. */
export const GENSPAN_ATTEMPT_HTTP_STATUS = "genspan.attempt.http_status";

// An image request: `genspan.record` = image from startTrace to its completion or failure (error status with the message), the tries of models as attempts below it. Which
// lesson or other thing it is for stands in genspan.entity.type and .id.
/** The trace, by a uuid that is its id in image_traces; on the record and on its pending record. */
export const GENSPAN_IMAGE_ID = "genspan.image.id";
/** JSON text. On an image or its pending record: what was asked for (request_data). On an attempt: {prompt, model, options?}. */
export const GENSPAN_IMAGE_REQUEST = "genspan.image.request";
/** JSON text. On an image: what came of it (response_data). On an attempt: {success, dataSize?, error?}. */
export const GENSPAN_IMAGE_RESPONSE = "genspan.image.response";
/** The model whose picture was taken. */
export const GENSPAN_IMAGE_MODEL_USED = "genspan.image.model_used";
/** All models that were tried, each once, in order, as an array of strings. */
export const GENSPAN_IMAGE_MODELS_TRIED = "genspan.image.models_tried";
/** started | completed | failed. */
export const GENSPAN_IMAGE_STATUS = "genspan.image.status";
/** On an attempt: size of the picture in bytes, an integer. The bytes themselves never travel on a span. */
export const GENSPAN_IMAGE_SIZE = "genspan.image.size";
/** On an attempt: SHA-256 of the picture in hexadecimal. */
export const GENSPAN_IMAGE_SHA256 = "genspan.image.sha256";
/** On an attempt: media type of the picture. */
export const GENSPAN_IMAGE_MIME_TYPE = "genspan.image.mime_type";

export const GENSPAN_ENTITY_TYPE = "genspan.entity.type";
export const GENSPAN_ENTITY_ID = "genspan.entity.id";
export const GENSPAN_ENTITY_RELATION = "genspan.entity.relation";
export const GENSPAN_QUALITY_STATUS = "genspan.quality.status";
export const GENSPAN_QUALITY_ISSUES = "genspan.quality.issues";
export const GENSPAN_QUALITY_SCORE = "genspan.quality.score";
export const GENSPAN_QUALITY_BY = "genspan.quality.by";
export const GENSPAN_PROMPT_MODULES = "genspan.prompt.modules";
export const GENSPAN_COST_AMOUNT = "genspan.cost.amount";
export const GENSPAN_COST_CURRENCY = "genspan.cost.currency";
export const GENSPAN_COST_SOURCE = "genspan.cost.source";
export const GENSPAN_ERROR_TRACEBACK = "genspan.error.traceback";
