/**
 * How an item was made, generation by generation, in the keys that its application stores beside it: pure, without imports, so that the application and
 * the collector aggregate alike. What is unknown is null.
 */

/** One generation of an item: a sentence of a problem, for instance. */
export interface SentenceGenerationTrace {
  /** Place within the item, from 0. */
  readonly index: number;
  /** The generation's reference: generation_logs.id. */
  readonly generation_id: string | null;
  readonly model: string | null;
  readonly response_model: string | null;
  readonly response_id: string | null;
  readonly prompt_name: string | null;
  readonly prompt_version: string | null;
  readonly prompt_text: string | null;
  readonly content: string | null;
  readonly reasoning_content: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly reasoning_tokens: number | null;
  readonly total_tokens: number | null;
  readonly duration_ms: number | null;
  readonly finish_reason: string | null;
  /** pending | success | failed | timeout */
  readonly status: string;
  readonly error_message: string | null;
}

/** What an item says of itself. */
export interface ItemFacts {
  readonly prompt_version?: string | null;
  readonly quality_status?: string | null;
  readonly quality_issues?: readonly string[] | null;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
}

/** An item's generations together. */
export interface ProblemGenerationTrace {
  readonly model: string | null;
  readonly prompt_version: string | null;
  readonly total_input_tokens: number | null;
  readonly total_output_tokens: number | null;
  readonly total_reasoning_tokens: number | null;
  readonly total_tokens: number | null;
  readonly quality_status: string | null;
  readonly quality_issues: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly sentences: readonly SentenceGenerationTrace[];
}

/**
 * Adds up the generations of one item. `model` is the one that made most of them (the first of those, on a tie); a total is the sum of what is known, and
 * null when nothing is; the prompt version is the item's own, else the one that all generations share.
 */
export function problemTrace(item: ItemFacts, generations: readonly SentenceGenerationTrace[]): ProblemGenerationTrace {
  const sentences = generations.toSorted((a, b) => a.index - b.index);
  const total = (numberOf: (sentence: SentenceGenerationTrace) => number | null): number | null => sumOfKnown(sentences.map(numberOf));
  const versions = distinct(sentences.map(({ prompt_version }) => prompt_version));
  return {
    model: mostFrequent(sentences.map(({ model }) => model)),
    prompt_version: item.prompt_version ?? (versions.length === 1 ? (versions[0] ?? null) : null),
    total_input_tokens: total(({ input_tokens }) => input_tokens),
    total_output_tokens: total(({ output_tokens }) => output_tokens),
    total_reasoning_tokens: total(({ reasoning_tokens }) => reasoning_tokens),
    total_tokens: total(totalOf),
    quality_status: item.quality_status ?? null,
    quality_issues: item.quality_issues ?? [],
    metadata: item.metadata ?? null,
    sentences,
  };
}

function totalOf({ total_tokens, input_tokens, output_tokens }: SentenceGenerationTrace): number | null {
  return total_tokens ?? sumOfKnown([input_tokens, output_tokens]);
}

function sumOfKnown(numbers: readonly (number | null)[]): number | null {
  const known = numbers.filter((each) => each !== null);
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0);
}

const distinct = (words: readonly (string | null)[]): string[] => [...new Set(words.filter((word) => word !== null))];

function mostFrequent(words: readonly (string | null)[]): string | null {
  const frequency = (word: string): number => words.filter((each) => each === word).length;
  const [first = null, ...others] = distinct(words);
  return others.reduce((best, word) => (frequency(word) > frequency(best as string) ? word : best), first);
}
