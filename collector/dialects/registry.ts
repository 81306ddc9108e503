import { CONCEPT, CONCEPTS, type Concept } from "../model/concept.ts";
import { VALUE_REMOVED } from "../otlp/attribute-list.ts";
import { keyTable, NOT_INTERNED } from "../otlp/key-table.ts";
import type { OriginView, SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import type { GenerationDraft } from "./generation-draft.ts";

/** Request settings without a column of their own go to model_parameters under the last part of their name. */
const PARAMETER_PREFIXES = ["gen_ai.request.", "gen_ai.openai.request.", "openai.request.", "gen_ai.output."];
const MORE_PARAMETERS: ReadonlySet<string> = new Set(["gen_ai.embeddings.dimension.count", "openai.api.type"]);
const VARIABLE_PREFIX = "gen_ai.prompt.variable.";
/** Begin like parameters and are content or are read as part of something else. */
const NO_PARAMETERS: ReadonlySet<string> = new Set(["gen_ai.output.messages", "gen_ai.output.messages_ref"]);

const PARAMETER = 1;
const VARIABLE = 2;

/** Most dialects that one bit mask can hold; the sign bit stays free. */
const MAX_DIALECTS = 31;

/** Reads the concepts of several dialects in one pass. */
export interface Registry {
  readonly dialects: readonly Dialect[];
  /** The bit of each dialect in what `candidates` gives. */
  bitOf(dialect: Dialect): number;
  /** The dialects that the span's attribute names or its instrumentation scope speak for, as a bit mask. */
  candidates(view: SpanView): number;
  /** The best source of each concept, the free parameters and the variables of the span in `view`. */
  collect(view: SpanView, draft: GenerationDraft): void;
}

/**
 * Facts by attribute key for `dialects`, in order of trust. A name that several dialects use for one concept keeps the rank of the first;
 * using it for two concepts is a programming error and throws: such a name belongs into `complete`.
 */
export function createRegistry(dialects: readonly Dialect[]): Registry {
  if (dialects.length > MAX_DIALECTS) throw new Error(`at most ${MAX_DIALECTS} dialects fit into one mask`);
  const size = keyTable.dialects.length;
  const conceptOf = new Uint8Array(size);
  const rankOf = new Uint16Array(size);
  const classOf = new Uint8Array(size);
  let rank = 0;
  for (const { name, sources } of dialects) {
    for (const concept of CONCEPTS) {
      for (const attribute of sources[concept] ?? []) {
        const id = keyTable.register(attribute);
        if (conceptOf[id] === 0) {
          conceptOf[id] = CONCEPT[concept];
          rankOf[id] = rank++;
        } else if (conceptOf[id] !== CONCEPT[concept]) {
          throw new Error(`${name}: ${attribute} already means ${CONCEPTS[conceptOf[id]! - 1]}, not ${concept}`);
        }
      }
    }
  }
  keyTable.forEach((id, name) => {
    keyTable.dialects[id]! |= maskOf(dialects, name);
    if (conceptOf[id] === 0) classOf[id] = classify(name);
  });
  const ofScope = createScopeReader(dialects);
  return {
    dialects,
    bitOf: (dialect) => 1 << dialects.indexOf(dialect),
    candidates: (view) => view.attributes.dialects | ofScope(view),
    collect(view, draft) {
      const { keys, kinds, count } = view.attributes;
      for (let i = 0; i < count; i++) {
        const key = keys[i]!;
        if (kinds[i] === VALUE_REMOVED) continue;
        if (key === NOT_INTERNED) {
          keep(draft, classify(view.attributes.name(i)), i);
          continue;
        }
        const concept = conceptOf[key]!;
        if (concept === 0) {
          if (classOf[key] !== 0) keep(draft, classOf[key]!, i);
        } else if (draft.attribute[concept]! < 0 || rankOf[key]! < draft.rank[concept]!) {
          draft.attribute[concept] = i;
          draft.rank[concept] = rankOf[key]!;
        }
      }
    },
  };
}

/** Reads a scope's name once for all of its spans. */
function createScopeReader(dialects: readonly Dialect[]): (view: SpanView) => number {
  const masks = new Map<string, number>();
  for (const [i, { scopes = [] }] of dialects.entries()) for (const name of scopes) masks.set(name, (masks.get(name) ?? 0) | (1 << i));
  let scope: OriginView | undefined;
  let serial = -1;
  let mask = 0;
  return ({ arena, scope: current }) => {
    if (current === scope && current.serial === serial) return mask;
    scope = current;
    serial = current.serial;
    const { nameOffset, nameSize } = current;
    mask = nameSize === 0 ? 0 : (masks.get(arena.request.toString("utf8", nameOffset, nameOffset + nameSize)) ?? 0);
    return mask;
  };
}

function keep(draft: GenerationDraft, kind: number, index: number): void {
  if (kind === PARAMETER) draft.parameters.push(index);
  else if (kind === VARIABLE) draft.variables.push(index);
}

function classify(name: string): number {
  if (name.startsWith(VARIABLE_PREFIX)) return VARIABLE;
  if (NO_PARAMETERS.has(name)) return 0;
  return MORE_PARAMETERS.has(name) || PARAMETER_PREFIXES.some((prefix) => name.startsWith(prefix)) ? PARAMETER : 0;
}

function maskOf(dialects: readonly Dialect[], name: string): number {
  let mask = 0;
  for (const [i, { signs }] of dialects.entries()) if (signs.some((sign) => speaks(sign, name))) mask |= 1 << i;
  return mask;
}

const speaks = (sign: string, name: string): boolean => (/[.:]$/.test(sign) ? name.startsWith(sign) : name === sign);

/** Type guard for tools that take concept names from people. */
export const isConcept = (name: string): name is Concept => (CONCEPTS as readonly string[]).includes(name);
