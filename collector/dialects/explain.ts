import { CONCEPTS } from "../model/concept.ts";
import { VALUE_REMOVED } from "../otlp/attribute-list.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { attributeValue } from "./flattened.ts";
import { type Built, createGenerationDraft, type GenerationDraft, TEXT_FIELDS } from "./generation-draft.ts";
import { readGeneration } from "./index.ts";

/** Where one thing that is known about a span came from. */
export interface Origin {
  /** A concept of model/concept.ts, `prompt`, `response`, `reasoning`, `errorMessage`, `errorTraceback`, `parameter`, `variable`, `metadata`; undefined for an attribute that only stays on the span. */
  readonly concept: string | undefined;
  /** Attribute, or what a dialect named as its source. */
  readonly source: string;
  readonly value: unknown;
}

export interface SpanExplanation {
  readonly span: string;
  /** `call`, `pending`, `wrapper`, `wrapper-with-usage`, or `other` for a span that has nothing to do with models. */
  readonly role: string;
  readonly dialect: string | undefined;
  readonly origins: readonly Origin[];
}

/** How the span in `view` is understood, attribute by attribute. */
export function explainSpan(view: SpanView): SpanExplanation {
  const draft = createGenerationDraft();
  const role = readGeneration(view, draft);
  const span = view.arena.request.toString("utf8", view.nameOffset, view.nameOffset + view.nameSize);
  if (role === undefined || role === "wrapper") return { span, role: role ?? "other", dialect: undefined, origins: kept(view, new Set()) };
  const used = new Set<number>();
  const told = [...fromAttributes(view, draft, used), ...built(draft)];
  return { span, role, dialect: draft.dialect, origins: [...told, ...kept(view, used)] };
}

function fromAttributes(view: SpanView, draft: GenerationDraft, used: Set<number>): Origin[] {
  const origin = (concept: string, index: number): Origin => {
    used.add(index);
    return { concept, source: view.attributes.name(index), value: attributeValue(view, index) };
  };
  const concepts = CONCEPTS.flatMap((concept, i) => {
    const index = draft.attribute[i + 1]!;
    return index < 0 ? [] : [origin(concept, index)];
  });
  return [
    ...concepts,
    ...draft.parameters.map((index) => origin("parameter", index)),
    ...draft.variables.map((index) => origin("variable", index)),
  ];
}

const NAMED = { parameter: "parameters", variable: "variables", metadata: "metadata" } as const;

/** What no attribute carries as it stands. */
function built({ built: made, origins }: GenerationDraft): Origin[] {
  if (made === undefined) return [];
  const scalars = [...(made.scalars ?? [])].map(([number, value]) => {
    const concept = CONCEPTS[number - 1] ?? "";
    return { concept, source: origins.get(concept) ?? "", value };
  });
  const contents = (["prompt", "response"] as const).flatMap((which) => {
    const content = made[which];
    return content === undefined ? [] : [{ concept: which, source: origins.get(which) ?? "", value: content.text }];
  });
  const named = (concept: "parameter" | "variable" | "metadata"): Origin[] =>
    Object.entries(made[NAMED[concept]] ?? {}).map(([name, value]) => ({ concept, source: name, value }));
  return [...scalars, ...contents, ...textsOf(made, origins), ...named("parameter"), ...named("variable"), ...named("metadata")];
}

/** What the row has besides concepts. */
const textsOf = (made: Built, origins: ReadonlyMap<string, string>): Origin[] =>
  TEXT_FIELDS.flatMap((field) => {
    const value = made[field];
    return value === undefined ? [] : [{ concept: field, source: origins.get(field) ?? "", value }];
  });

function kept(view: SpanView, used: ReadonlySet<number>): Origin[] {
  const { attributes } = view;
  return Array.from({ length: attributes.count }, (_, i) => i)
    .filter((i) => !used.has(i) && attributes.kinds[i] !== VALUE_REMOVED)
    .map((i) => ({ concept: undefined, source: attributes.name(i), value: attributeValue(view, i) }));
}
