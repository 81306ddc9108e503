/**
 * Operations that are not a model call of their own: they wrap calls (agents, workflows), run tools, or manage things.
 * Their spans get no generation row, so that no token is counted twice (dialect-traps 1). Every other operation on a span
 * with a model is a call: the set of names is open.
 */
const WRAPPERS: ReadonlySet<string> = new Set([
  "invoke_agent",
  "create_agent",
  "invoke_workflow",
  "execute_tool",
  "execute_task",
  "agent_step",
  "plan",
  "retrieval",
  "fetch_response",
  "handle_conversation_turn",
  "create_memory",
  "update_memory",
  "upsert_memory",
  "delete_memory",
  "search_memory",
  "create_memory_store",
  "delete_memory_store",
  "agent_call",
  "tool_call",
  "schedule_tool_calls",
  "user_prompt",
  "system_prompt",
  "vectordb",
  "framework",
]);

export const isWrapperOperation = (name: string): boolean => WRAPPERS.has(name);

/**
 * Other names of the conventions' providers, in lower case: values of the old gen_ai.system that were renamed when it became gen_ai.provider.name
 * (conventions v1.33, v1.35, v1.37), and what instrumentations write (OpenInference's llm.provider, OpenLLMetry's capitalised names).
 */
const RENAMED_PROVIDERS: ReadonlyMap<string, string> = new Map([
  ["az.ai.openai", "azure.ai.openai"],
  ["azure", "azure.ai.openai"],
  ["azure_openai", "azure.ai.openai"],
  ["az.ai.inference", "azure.ai.inference"],
  ["azure_ai", "azure.ai.inference"],
  ["vertex_ai", "gcp.vertex_ai"],
  ["vertexai", "gcp.vertex_ai"],
  ["gemini", "gcp.gemini"],
  ["google", "gcp.gen_ai"],
  ["gcp.vertex.agent", "gcp.gen_ai"],
  ["bedrock", "aws.bedrock"],
  ["aws_bedrock", "aws.bedrock"],
  ["aws", "aws.bedrock"],
  ["mistralai", "mistral_ai"],
  ["mistral", "mistral_ai"],
  ["watsonx", "ibm.watsonx.ai"],
  ["xai", "x_ai"],
]);

/** Written by some with capitals. */
const LOWER_CASE: ReadonlySet<string> = new Set([
  "openai",
  "anthropic",
  "cohere",
  "deepseek",
  "groq",
  "ollama",
  "perplexity",
  "together_ai",
]);

/** A provider's name as the conventions write it; an unknown one stays as it is. */
export function canonicalProvider(name: string): string {
  const lower = name.toLowerCase();
  return RENAMED_PROVIDERS.get(lower) ?? (LOWER_CASE.has(lower) ? lower : name);
}

/** Error types that mean the call ran out of time rather than failed; compared without case. */
const TIMEOUT = /time[\s_-]?d?[\s_-]?out|deadline[\s_-]?exceeded/i;

export const isTimeout = (errorType: string): boolean => TIMEOUT.test(errorType);
