/** Providers of well-known models, by the beginning of the model's name, in the words of the conventions. */
const BY_MODEL: readonly (readonly [RegExp, string])[] = [
  [/^(gpt-|o[1-9](-|$)|chatgpt-|text-embedding-|dall-e)/i, "openai"],
  [/^claude-/i, "anthropic"],
  [/^(gemini-|models\/gemini-)/i, "gcp.gemini"],
  [/^(mistral-|ministral-|codestral-|magistral-)/i, "mistral_ai"],
  [/^deepseek-/i, "deepseek"],
  [/^grok-/i, "x_ai"],
  [/^(command-|embed-)/i, "cohere"],
  [/^(sonar)/i, "perplexity"],
  [/^(moonshot-|kimi-)/i, "moonshot_ai"],
];

/** The provider that a model's name tells; undefined where it tells none. */
export const providerOfModel = (model: string): string | undefined => BY_MODEL.find(([name]) => name.test(model))?.[1];
