import { randomUUID } from "node:crypto";
import type { Attributes } from "@opentelemetry/api";
import * as A from "../attributes.ts";
import { type Current, current, recorder } from "../core/current.ts";
import type { OpenRecord, Parent } from "../core/recorder.ts";
import { safeJson, safeText } from "../core/safe-json.ts";
import { readFailure } from "../generation/failure.ts";
import { runGeneration } from "../generation/generate.ts";
import { openGeneration } from "../generation/generation.ts";
import { known, textOf } from "../generation/shape.ts";
import { entityAttributes, qualityAttributes } from "../generation/start-attributes.ts";
import type { EntityRef, Generation, GenerationStart, Quality, ResponseReader } from "../generation/types.ts";
import { type ProblemGenerationTrace, problemTrace, type SentenceGenerationTrace } from "./problem-trace.ts";
import { sentenceTrace } from "./sentence-trace.ts";

/** What an item begins with. */
export interface ItemStart {
  /** What it is, in the application's words: problem, lesson, article. */
  readonly kind?: string;
  /** What people call it in a list; may also be told later. */
  readonly title?: string;
  /** Version of the prompts that its generations use where they name none. */
  readonly promptVersion?: string;
  readonly entity?: EntityRef;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Under which record or span it is made; default the active one. */
  readonly parent?: Parent;
}

/** A generation of an item. */
export interface ItemGenerationStart extends GenerationStart {
  /** Place within the item, from 0; default the next one. A second generation in the same place takes over the first's. */
  readonly index?: number;
}

/**
 * One produced thing that several generations make, such as a quiz problem and its sentences. No method throws.
 *
 * ```ts
 * const trace = startProblemTrace({ promptVersion: "2.0", title: "Articles" });
 * for (const topic of topics) await trace.generate({ model, messages: promptFor(topic) }, () => openai.chat.completions.create(…));
 * trace.quality({ status: "pending_review" });
 * trace.complete();
 * await problems.insert({ …, generation_trace: trace.toJSON() });
 * ```
 */
export interface GenerationTrace extends Disposable {
  /** A uuid: the item's id in the collector. */
  readonly id: string;
  /** Text of the reference, `traceId-spanId`, for `reviewRecord` and `linkGeneration` from anywhere. */
  readonly ref: string;
  readonly ended: boolean;
  /** Runs `work` within the item: generations started in it belong to the item, too; `toJSON()` knows only those started by the two methods below. */
  run<R>(work: () => R): R;
  /** Starts a generation of the item, as `startGeneration` does. */
  startGeneration(start: ItemGenerationStart): Generation;
  /** Makes a generation of the item, as `generate` does; what `call` returns or throws comes through unchanged. */
  generate<T>(start: ItemGenerationStart, call: (generation: Generation) => T | Promise<T>, read?: ResponseReader<T>): Promise<T>;
  /** Names it, before its end. */
  title(title: string): void;
  /** Judges the item; before or after its end. */
  quality(quality: Quality): void;
  /** Ties it to a thing of the application's own; before or after its end. */
  link(entity: EntityRef): void;
  /** Of the two ends the first one counts. */
  complete(): void;
  fail(error: unknown): void;
  /** Everything about how it was made, to be stored beside it: texts in full, whatever the content policy of the telemetry says. */
  toJSON(): ProblemGenerationTrace;
}

const PROBLEM = "problem";
const ABANDONED = "abandoned: the item was neither completed nor failed";

/** Starts an item. Leaving the scope of a `using` declaration without an end fails it as abandoned. */
export function startItem(start: ItemStart = {}): GenerationTrace {
  const now = current();
  const safe = typeof start === "object" && start !== null ? start : {};
  const open = now.recorder.problems.guard("startItem", () => openItem(safe, now), undefined);
  return open === undefined ? createTrace({}, openItem({}, now), now) : createTrace(safe, open, now);
}

/** Starts an item of the kind `problem`. */
export const startProblemTrace = (start: Omit<ItemStart, "kind"> = {}): GenerationTrace =>
  startItem(recorder().problems.guard("startProblemTrace", () => ({ ...start, kind: PROBLEM }), { kind: PROBLEM }));

interface OpenItem {
  readonly id: string;
  readonly record: OpenRecord;
}

function openItem(start: ItemStart, now: Current): OpenItem {
  const { recorder, content } = now;
  const id = randomUUID();
  const metadata = start.metadata === undefined ? undefined : content.text(safeJson(start.metadata), "metadata");
  const record = recorder.start({
    name: ["item", textOf(start.kind)].join(" ").trim(),
    parent: start.parent,
    inherited: { [A.GENSPAN_ITEM_ID]: id },
    attributes: known({
      [A.GENSPAN_ITEM_KIND]: textOf(start.kind),
      ...titleAttributes(start.title, now),
      [A.GEN_AI_PROMPT_VERSION]: textOf(start.promptVersion),
      [A.GENSPAN_ITEM_METADATA]: metadata,
      ...entityAttributes(start.entity),
    }),
  });
  return { id, record };
}

const titleAttributes = (title: unknown, { content }: Current): Attributes => {
  const text = content.text(textOf(title), "metadata");
  return text === undefined ? {} : { [A.GENSPAN_ITEM_TITLE]: text };
};

function createTrace(start: ItemStart, { id, record }: OpenItem, now: Current): GenerationTrace {
  const sentences = new Map<number, SentenceGenerationTrace>();
  let judged: Quality = {};
  let next = 0;

  const guard = (step: string, work: () => void): void => now.recorder.problems.guard(step, work, undefined);

  /** Before the end the record itself says it; afterwards a record of its own does. */
  function tell(attributes: Attributes): void {
    if (record.ended) now.recorder.update(record.refText, attributes);
    else record.setAttributes(attributes);
  }

  function end(message?: string): void {
    record.end({ attributes: { [A.GENSPAN_RECORD]: "item" }, ...(message === undefined ? {} : { error: { message } }) });
  }

  const keep = (sentence: SentenceGenerationTrace): void => void sentences.set(sentence.index, sentence);

  /** Where it stands in the item, and what it begins with as a part of it. */
  function placed({ index: given, ...own }: ItemGenerationStart): { index: number; full: GenerationStart } {
    const index = given !== undefined && Number.isSafeInteger(given) ? given : next;
    const version = own.prompt?.version ?? start.promptVersion;
    const prompt = version === undefined ? {} : { prompt: { ...own.prompt, version } };
    return { index, full: { ...own, ...prompt, parent: own.parent ?? record.context } };
  }

  function open(given: ItemGenerationStart): Generation {
    const bare = { index: next, full: { model: "unknown", parent: record.context } };
    const { index, full } = now.recorder.problems.guard("startGeneration", () => placed(given), bare);
    next = Math.max(next, index + 1);
    const generation = openGeneration(full, {
      attributes: { [A.GENSPAN_ITEM_ID]: id, [A.GENSPAN_ITEM_INDEX]: index },
      onEnd: (summary) => keep(sentenceTrace(summary.id, index, full, summary)),
    });
    guard("startGeneration", () => keep(sentenceTrace(generation.id, index, full)));
    return generation;
  }

  return {
    id,
    ref: record.refText,
    get ended() {
      return record.ended;
    },
    run: (work) => record.run(work),
    startGeneration: open,
    generate: (given, call, read) => runGeneration(open(given), call, read),
    title: (title) => guard("title", () => tell(titleAttributes(title, now))),
    quality: (quality) =>
      guard("quality", () => {
        judged = { ...judged, ...quality };
        tell(qualityAttributes(quality));
      }),
    link: (entity) => guard("link", () => tell(entityAttributes(entity))),
    complete: () => end(),
    fail: (error) => end(now.recorder.problems.guard("fail", () => readFailure(error, now.content).message, undefined) ?? "failed"),
    toJSON: () => problemTrace(factsOf(start, judged), [...sentences.values()]),
    [Symbol.dispose]: () => end(ABANDONED),
  };
}

/** A copy that JSON can hold, whatever an application gave: what it stores beside an item must not fail for it. */
function storable(metadata: ItemStart["metadata"]): Readonly<Record<string, unknown>> | null {
  return JSON.parse(safeJson(metadata) ?? "null") as Readonly<Record<string, unknown>> | null;
}

const factsOf = ({ promptVersion, metadata }: ItemStart, { status, issues }: Quality) => ({
  prompt_version: safeText(promptVersion ?? undefined) ?? null,
  quality_status: textOf(status) ?? null,
  quality_issues: Array.isArray(issues) ? issues.filter((issue) => typeof issue === "string") : [],
  metadata: storable(metadata),
});
