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
]);

export const isWrapperOperation = (name: string): boolean => WRAPPERS.has(name);

/** Values of the old gen_ai.system that were renamed when it became gen_ai.provider.name (conventions v1.33, v1.35, v1.37). */
const RENAMED_PROVIDERS: ReadonlyMap<string, string> = new Map([
  ["az.ai.openai", "azure.ai.openai"],
  ["az.ai.inference", "azure.ai.inference"],
  ["vertex_ai", "gcp.vertex_ai"],
  ["gemini", "gcp.gemini"],
  ["xai", "x_ai"],
]);

export const canonicalProvider = (name: string): string => RENAMED_PROVIDERS.get(name) ?? name;

/** Error types that mean the call ran out of time rather than failed; compared without case. */
const TIMEOUT = /time[\s_-]?d?[\s_-]?out|deadline[\s_-]?exceeded/i;

export const isTimeout = (errorType: string): boolean => TIMEOUT.test(errorType);
