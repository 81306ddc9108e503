import type { SpanView } from "../otlp/span-view.ts";
import { attributeNamed, gatherList } from "./flattened.ts";
import { at, isObject, type Json, numberOf, stringOf } from "./json.ts";

/** One judgement of a span. */
export interface EvaluationFacts {
  readonly name: string | undefined;
  readonly value: number | undefined;
  readonly label: string | undefined;
  readonly explanation: string | undefined;
  /** Who judged. */
  readonly by: string | undefined;
  /** The judged response, where the judgement names it. */
  readonly responseId?: string | undefined;
}

/**
 * Judgements that OpenInference writes as attributes of the judged span itself (`evaluations.N.evaluation.*`, `annotations.N.annotation.*`), in their order. Those of a
 * whole trace or session (`trace.…`, `session.…`) speak of no span and stay attributes.
 */
export function openInferenceEvaluations(view: SpanView): readonly EvaluationFacts[] {
  if (attributeNamed(view, "openinference.span.kind") === undefined) return [];
  return KINDS.flatMap(([prefix, member]) => {
    return gatherList(view, prefix)
      .map((entry) => at(entry, member))
      .filter(isObject)
      .map(factsOf);
  }).filter(({ value, label, explanation }) => value !== undefined || label !== undefined || explanation !== undefined);
}

const KINDS = [
  ["evaluations.", "evaluation"],
  ["annotations.", "annotation"],
] as const;

const factsOf = (told: Readonly<Record<string, Json>>): EvaluationFacts => ({
  name: stringOf(told["name"]),
  value: numberOf(told["score"]),
  label: stringOf(told["label"]),
  explanation: stringOf(told["explanation"]),
  by: stringOf(told["annotator_kind"]),
});
