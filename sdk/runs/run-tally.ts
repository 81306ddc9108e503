import {
  addScore,
  completeSummary,
  type ErrorSummary,
  NO_SCORES,
  type ProviderMetrics,
  type RunSummary,
  scoreFields,
} from "./run-summary.ts";

/** What is said of items that were generated. */
export interface GeneratedItems {
  readonly provider?: string;
  /** Kind of item: a question type, for instance. */
  readonly type?: string;
  readonly difficulty?: string;
  /** How many; 1 where nothing is said. */
  readonly count?: number;
}

/** One error of a run. */
export interface RunError {
  /** What kind: rate_limit, network, validation … Counted in error_summary.by_category. */
  readonly category?: string;
  /** low | medium | high | critical; critical ones are counted apart, too. */
  readonly severity?: string;
  readonly provider?: string;
}

/** An evaluation of one item. */
export interface Evaluation {
  readonly approved: boolean;
  readonly score?: number;
  /** Provider that had generated the item. */
  readonly provider?: string;
}

/** Counts what happens in a run, one event at a time. Never throws; what is no positive whole number counts as nothing. */
export interface RunTally {
  generated(items?: GeneratedItems): void;
  generationFailed(error?: RunError): void;
  evaluated(evaluation: Evaluation): void;
  duplicate(kind: "exact" | "semantic", count?: number): void;
  inserted(count?: number): void;
  insertionFailed(count?: number): void;
  apiCall(provider: string, count?: number): void;
  error(error?: RunError): void;
  /** Everything counted so far, with rates and scores. */
  summary(): RunSummary;
}

type Counter = Map<string, number>;

/** An empty tally of a run that was asked for so many items. */
export function createRunTally(requested: number): RunTally {
  const count = {
    items_generated: 0,
    generation_failures: 0,
    items_evaluated: 0,
    items_approved: 0,
    items_rejected: 0,
    exact_duplicates: 0,
    semantic_duplicates: 0,
    items_inserted: 0,
    insertion_failures: 0,
    total_errors: 0,
    total_api_calls: 0,
  };
  const providers = new Map<string, Required<Pick<ProviderMetrics, ProviderCount>>>();
  const [types, difficulties, categories, severities] = [new Map(), new Map(), new Map(), new Map()] as [
    Counter,
    Counter,
    Counter,
    Counter,
  ];
  let scores = NO_SCORES;

  function addTo(provider: string | undefined, field: ProviderCount, n: number): void {
    if (provider === undefined || n === 0) return;
    const name = keptWord(providers, provider);
    const metrics = providers.get(name) ?? { generated: 0, api_calls: 0, failures: 0, evaluated: 0, approved: 0, rejected: 0 };
    metrics[field] += n;
    providers.set(name, metrics);
  }

  function addError({ category = "unknown", severity = "medium" }: RunError): void {
    count.total_errors++;
    increase(categories, category, 1);
    increase(severities, severity, 1);
  }

  return {
    generated({ provider, type, difficulty, count: given } = {}) {
      const n = positive(given);
      count.items_generated += n;
      addTo(provider, "generated", n);
      increase(types, type, n);
      increase(difficulties, difficulty, n);
    },
    generationFailed(error = {}) {
      count.generation_failures++;
      addTo(error.provider, "failures", 1);
      addError(error);
    },
    evaluated({ approved, score, provider }) {
      count.items_evaluated++;
      count[approved ? "items_approved" : "items_rejected"]++;
      scores = addScore(scores, score);
      addTo(provider, "evaluated", 1);
      addTo(provider, approved ? "approved" : "rejected", 1);
    },
    duplicate(kind, n) {
      count[kind === "exact" ? "exact_duplicates" : "semantic_duplicates"] += positive(n);
    },
    inserted(n) {
      count.items_inserted += positive(n);
    },
    insertionFailed(n) {
      count.insertion_failures += positive(n);
    },
    apiCall(provider, given) {
      const n = positive(given);
      count.total_api_calls += n;
      addTo(provider, "api_calls", n);
    },
    error(error = {}) {
      addError(error);
    },
    summary: () =>
      completeSummary({
        items_requested: requested,
        ...count,
        ...scoreFields(scores),
        provider_metrics: Object.fromEntries([...providers].map(([provider, metrics]) => [provider, { ...metrics }])),
        type_metrics: Object.fromEntries(types),
        difficulty_metrics: Object.fromEntries(difficulties),
        error_summary: errorSummary(categories, severities),
      }),
  };
}

type ProviderCount = "generated" | "api_calls" | "failures" | "evaluated" | "approved" | "rejected";

const positive = (n: number | undefined): number => (n === undefined ? 1 : Number.isSafeInteger(n) && n > 0 ? n : 0);

/** Different words of one breakdown that are kept apart; messages and ids in place of kinds do not make a run's figures grow without end. */
const MAX_KEYS = 200;
const OTHERS = "other";

function increase(counter: Counter, key: string | undefined, n: number): void {
  if (key === undefined || n <= 0) return;
  const word = keptWord(counter, key);
  counter.set(word, (counter.get(word) ?? 0) + n);
}

function keptWord(kept: ReadonlyMap<string, unknown>, given: unknown): string {
  const word = wordOf(given);
  return kept.has(word) || kept.size < MAX_KEYS ? word : OTHERS;
}

/** What is no word would make the whole summary unreadable. */
const wordOf = (given: unknown): string =>
  typeof given === "string" || typeof given === "number" || typeof given === "boolean" ? String(given) : "unknown";

const errorSummary = (categories: Counter, severities: Counter): ErrorSummary => ({
  by_category: Object.fromEntries(categories),
  by_severity: Object.fromEntries(severities),
  critical_count: severities.get("critical") ?? 0,
});
