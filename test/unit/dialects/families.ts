import type { THIRD_PARTY } from "./evidence.ts";

/** One way of telling model calls, as docs/dialects.md lists it. */
export interface Family {
  readonly title: string;
  /** As in generation_logs.dialect. */
  readonly stored: readonly string[];
  readonly recognisedBy: string;
  /** Folders of recorded bodies that it made. */
  readonly recorded?: readonly string[];
  /** Test data of other projects that it made. */
  readonly thirdParty?: readonly (keyof typeof THIRD_PARTY | "openinference-genai" | "openllmetry-js")[];
  /** Names of collector/dialects that exist for it. */
  readonly dialects: readonly string[];
}

export const FAMILIES: readonly Family[] = [
  {
    title: "OpenTelemetry conventions, 1.26 to the newest",
    stored: ["semconv"],
    recognisedBy: "`gen_ai.operation.name` that is no wrapper; before 1.27 a model or usage",
    recorded: [
      "otel-openai",
      "otel-openai-nocontent",
      "autoinst-openai6",
      "vercel-otel",
      "wire-vercel-gzip-proto",
      "wire-vercel-grpc",
      "wire-vercel-attrlimit60",
      "nodesdk-defaults",
    ],
    thirdParty: ["openinference-genai"],
    dialects: ["semconv"],
  },
  {
    title: "Anthropic's own client",
    stored: ["semconv"],
    recognisedBy: "the conventions; stop reason and resends are read besides",
    recorded: ["anthropic-native-content", "anthropic-openinference"],
    dialects: ["anthropic"],
  },
  {
    title: "OpenInference",
    stored: ["openinference"],
    recognisedBy: "`openinference.span.kind` LLM or EMBEDDING",
    recorded: ["openinference-openai", "openinference-longchat", "anthropic-openinference"],
    thirdParty: ["openinference-genai"],
    dialects: ["openinference"],
  },
  {
    title: "OpenLLMetry, Traceloop",
    stored: ["semconv", "traceloop"],
    recognisedBy: "the conventions; `llm.request.type` where spans are made by hand",
    recorded: ["traceloop"],
    thirdParty: ["openllmetry-js"],
    dialects: ["traceloop"],
  },
  {
    title: "Vercel AI SDK 3 to 6, and the legacy integration of 7",
    stored: ["vercel-ai"],
    recognisedBy: "`ai.operationId` ending in `.doGenerate`, `.doStream`, `.doEmbed`, `.doRerank`",
    recorded: ["vercel-legacy"],
    thirdParty: ["vercel-ai", "openinference-vercel-v6"],
    dialects: ["vercel-ai"],
  },
  {
    title: "Logfire",
    stored: ["semconv", "logfire"],
    recognisedBy: "the conventions, or `request_data` with a prompt; of a streamed call the half with the answer",
    recorded: ["logfire"],
    thirdParty: ["logfire"],
    dialects: ["logfire"],
  },
  {
    title: "pydantic-ai",
    stored: ["logfire"],
    recognisedBy: "the conventions; runs of agents are known by their messages",
    thirdParty: ["pydantic-ai"],
    dialects: ["logfire"],
  },
  {
    title: "LiteLLM",
    stored: ["semconv"],
    recognisedBy: "the conventions; `raw_gen_ai_request` below a call is none",
    thirdParty: ["logfire"],
    dialects: ["litellm"],
  },
  {
    title: "Langfuse",
    stored: ["langfuse"],
    recognisedBy: "`langfuse.observation.type` generation or embedding",
    dialects: ["langfuse"],
  },
  { title: "LangSmith", stored: ["langsmith"], recognisedBy: "`langsmith.span.kind` llm or embedding", dialects: ["langsmith"] },
  { title: "MLflow", stored: ["mlflow"], recognisedBy: "`mlflow.spanType` LLM, CHAT_MODEL, EMBEDDING", dialects: ["mlflow"] },
  { title: "OpenLIT", stored: ["semconv"], recognisedBy: "the conventions; its own names are read besides", dialects: ["openlit"] },
  { title: "Laminar", stored: ["laminar"], recognisedBy: "`lmnr.span.type` LLM", dialects: ["laminar"] },
  { title: "Mastra", stored: ["mastra"], recognisedBy: "`mastra.span.type` model_generation", dialects: ["mastra"] },
  { title: "Genkit", stored: ["genkit"], recognisedBy: "`genkit:metadata:subtype` model or embedder", dialects: ["genkit"] },
  { title: "Google ADK", stored: ["google-adk"], recognisedBy: "`gcp.vertex.agent.llm_request` with a model", dialects: ["google-adk"] },
  { title: "Gemini CLI", stored: ["gemini-cli"], recognisedBy: "agent gemini-cli with operation llm_call", dialects: ["gemini-cli"] },
  {
    title: "Claude Code, Claude agent SDK",
    stored: ["claude-code"],
    recognisedBy: "`span.type` llm_request; log events `claude_code.api_request` and `.api_error`",
    dialects: ["claude-code"],
  },
  { title: "LiveKit", stored: ["livekit"], recognisedBy: "spans `llm_request`, `llm_node` with a model", dialects: ["livekit"] },
  { title: "Haystack", stored: ["haystack"], recognisedBy: "components named …Generator or …Embedder", dialects: ["haystack"] },
  { title: "VoltAgent", stored: ["voltagent"], recognisedBy: "`span.type` llm", dialects: ["voltagent"] },
  { title: "Flue", stored: ["semconv"], recognisedBy: "the conventions; turns are read besides", dialects: ["flue"] },
  { title: "Strands", stored: ["semconv"], recognisedBy: "the conventions", dialects: ["strands"] },
  {
    title: "Semantic Kernel, Microsoft agent-framework",
    stored: ["semconv"],
    recognisedBy: "the conventions of their age",
    dialects: ["semantic-kernel"],
  },
  { title: "Spring AI", stored: ["semconv"], recognisedBy: "the conventions; `spring.ai.kind` is around a call", dialects: ["spring-ai"] },
  { title: "Koog", stored: ["semconv"], recognisedBy: "the conventions with indexed messages", dialects: [] },
  { title: "CrewAI", stored: ["semconv", "openinference"], recognisedBy: "as Traceloop or OpenInference", dialects: [] },
  {
    title: "anything else with `gen_ai.*`",
    stored: ["semconv"],
    recognisedBy: "as the conventions; bare `input`, `output`, `model` complete a call",
    dialects: ["semconv"],
  },
];
