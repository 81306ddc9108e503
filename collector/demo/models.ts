/** A model as the demo's applications use it. */
export interface DemoModel {
  readonly name: string;
  readonly provider: "openai" | "anthropic" | "gcp.gemini" | "mistral_ai";
  /** What the provider says it was answered by. */
  readonly responseModel: string;
  readonly millisToFirstChunk: number;
  readonly tokensPerSecond: number;
  /** Median of reasoning tokens of one call; 0 for a model that does not reason. */
  readonly reasoningTokens: number;
  /** Dollars per million tokens, in and out; undefined where nobody has written a price down. Made up, of a believable size. */
  readonly price?: readonly [number, number];
}

const model = (
  provider: DemoModel["provider"],
  names: readonly [string, string],
  speed: readonly [number, number, number],
  price?: readonly [number, number],
): DemoModel => ({
  provider,
  name: names[0],
  responseModel: names[1],
  millisToFirstChunk: speed[0],
  tokensPerSecond: speed[1],
  reasoningTokens: speed[2],
  ...(price === undefined ? {} : { price }),
});

export const GPT_MINI = model("openai", ["gpt-5-mini", "gpt-5-mini-2025-08-07"], [620, 95, 220], [0.25, 2]);
export const GPT_NANO = model("openai", ["gpt-5-nano", "gpt-5-nano-2025-08-07"], [380, 160, 90], [0.05, 0.4]);
export const GPT_IMAGE = model("openai", ["gpt-image-1", "gpt-image-1"], [6_000, 700, 0], [5, 40]);
export const SONNET = model("anthropic", ["claude-sonnet-4-5", "claude-sonnet-4-5-20250929"], [900, 70, 0], [3, 15]);
export const GEMINI_FLASH = model("gcp.gemini", ["gemini-2.5-flash", "gemini-2.5-flash"], [420, 180, 130], [0.3, 2.5]);
export const GEMINI_IMAGE = model("gcp.gemini", ["gemini-2.5-flash-image", "gemini-2.5-flash-image"], [4_200, 700, 0], [0.3, 30]);
export const MISTRAL = model("mistral_ai", ["mistral-medium-latest", "mistral-medium-2508"], [510, 110, 0], [0.4, 2]);
/** The story of the model without a price. */
export const UNPRICED = model("mistral_ai", ["ministral-legal-preview", "ministral-legal-preview-0925"], [300, 140, 0]);
