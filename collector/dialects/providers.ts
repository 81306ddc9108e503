/** How frameworks spell providers, by the part of their name that decides; the longest prefix wins. */
const PREFIXES: readonly (readonly [prefix: string, provider: string])[] = [
  ["amazon-bedrock", "aws.bedrock"],
  ["bedrock", "aws.bedrock"],
  ["azure-openai", "azure.ai.openai"],
  ["azure", "azure.ai.openai"],
  ["google.vertex.anthropic", "anthropic"],
  ["google.vertex", "gcp.vertex_ai"],
  ["google-vertex", "gcp.vertex_ai"],
  ["vertex", "gcp.vertex_ai"],
  ["google", "gcp.gemini"],
  ["gemini", "gcp.gemini"],
  ["mistral", "mistral_ai"],
  ["xai", "x_ai"],
  ["openai", "openai"],
  ["anthropic", "anthropic"],
];

/** `openai.responses`, `google.vertex.chat`, `amazon-bedrock` in the words of the conventions; an unknown name loses what follows its first dot. */
export function providerOf(name: string | undefined): string | undefined {
  if (name === undefined || name === "") return undefined;
  const lower = name.toLowerCase();
  const found = PREFIXES.filter(([prefix]) => lower.startsWith(prefix)).toSorted(([a], [b]) => b.length - a.length)[0];
  return found?.[1] ?? lower.split(".")[0];
}

/** Frameworks that name themselves where the conventions want who served the model. */
const FRAMEWORKS: ReadonlySet<string> = new Set([
  "autogen",
  "crewai",
  "haystack",
  "koog",
  "langchain",
  "langgraph",
  "llamaindex",
  "microsoft.agent_framework",
  "semantic_kernel",
  "spring_ai",
  "strands-agents",
]);

export const isFramework = (provider: string | undefined): boolean => provider !== undefined && FRAMEWORKS.has(provider.toLowerCase());
