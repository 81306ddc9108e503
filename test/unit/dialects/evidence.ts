/**
 * What test data of other projects proves, as counted by third-party.test.ts where that data is at hand; docs/dialects.md shows it.
 * `cases` are traces, `understood` those with model calls.
 */
export const THIRD_PARTY = {
  logfire: { source: "tests of Logfire: OpenAI, Anthropic, Google, LiteLLM, DSPy, agents", cases: 77, understood: 63, calls: 76 },
  "pydantic-ai": { source: "tests of pydantic-ai", cases: 20, understood: 14, calls: 14 },
  "vercel-ai": { source: "snapshots of the AI SDK's tests", cases: 27, understood: 27, calls: 30 },
  "openinference-vercel-v6": { source: "capture of OpenInference's tests of the AI SDK 6", cases: 1, understood: 1, calls: 5 },
} as const;
