import { GEN_AI_OUTPUT_TYPE, GENSPAN_IMAGE_REQUEST, GENSPAN_IMAGE_STATUS } from "../../sdk/attributes.ts";
import type { ReadRole } from "../dialects/dialect.ts";
import { conceptText, createGenerationDraft, type GenerationDraft, hasConcept } from "../dialects/generation-draft.ts";
import { readGeneration } from "../dialects/index.ts";
import { CONCEPT } from "../model/concept.ts";
import { createPriceBook, type PriceBook } from "../model/price.ts";
import { VALUE_BOOL } from "../otlp/attribute-list.ts";
import { DecodeError } from "../otlp/decode-error.ts";
import { createSpanWalker } from "../otlp/decode-protobuf.ts";
import { keyTable } from "../otlp/key-table.ts";
import type { RequestWalker, WalkResult } from "../otlp/request-walker.ts";
import { createSpanView, type SpanView } from "../otlp/span-view.ts";
import type { Blob } from "./blobs.ts";
import { encodeGenerationRow } from "./encode-generation.ts";
import { type CallMedia, encodeBlobRow, encodeOutputRow } from "./encode-media.ts";
import { encodeSpanRow, type SpanContext } from "./encode-span.ts";
import { idFault } from "./id-fault.ts";
import { IngestNotes } from "./ingest-notes.ts";
import { createOriginCache, type Origins } from "./origin-cache.ts";
import type { RequestBuilder } from "./request-builder.ts";
import { startMillisOf } from "./row-key.ts";
import { type CallSign, signOfCall } from "./sibling-calls.ts";
import { takeSpanMedia } from "./span-media.ts";
import { encodeSpanScores } from "./span-scores.ts";
import { BLOBS, GENERATION_LOGS, GENERATION_TWINS, OUTPUTS, SPANS, type TableSpec } from "./table-spec.ts";
import { MARK_ANNOUNCEMENT, MARK_CALL, MARK_HTTP, MARK_IMAGE, MARK_RECORD, MARK_THING, MARK_WRAPPER } from "./trace-marks.ts";

/** Turns the spans of one request after the other into rows. One encoder works on one request at a time. */
export interface TraceEncoder {
  readonly view: SpanView;
  readonly notes: IngestNotes;
  open(builder: RequestBuilder): void;
  /** Decodes the next span into `view`. Throws DecodeError when the request is not protobuf. */
  next(): Step;
  /** Encodes the span in `view`, as processors left it. */
  encode(): void;
}

/** `prices` gives a project's book and is asked for each request: a book may be replaced at any time. */
export function createTraceEncoder(prices: (projectId: number) => PriceBook = shippedPrices): TraceEncoder {
  const view = createSpanView();
  const walker: RequestWalker<SpanView> = createSpanWalker(view);
  const draft = createGenerationDraft();
  const notes = new IngestNotes();
  const origins = createOriginCache();
  /** Binary content of the span in `view`, by its hash. */
  const blobs = new Map<string, Blob>();
  const found = (blob: Blob | undefined): void => {
    const hash = blob?.sha256.toString("hex") ?? "";
    if (blob !== undefined && blobs.get(hash)?.mediaType === undefined) blobs.set(hash, blob);
  };
  let builder: RequestBuilder;
  let book = SHIPPED_PRICES;

  function encodeRows(): void {
    notes.clear();
    if (blobs.size > 0) blobs.clear();
    const context = spanContext(view, builder, { origins: origins.of(view, builder), notes });
    const revisits = context.key.start === undefined;
    const role = readGeneration(view, draft);
    let media: readonly CallMedia[] = [];
    let sign: CallSign | undefined;
    const table = role === "pending" && (view.parentSpanIdSize !== 8 || revisits) ? undefined : tableOf(role);
    if (table !== undefined) {
      const call = {
        view,
        draft,
        context: table === GENERATION_TWINS ? aside(context) : context,
        pending: role === "pending",
        prices: book,
      };
      const told = encodeGenerationRow(builder.row(table, revisits), call);
      media = told.media;
      if (role === "call") sign = signOfCall({ view, draft, ...told });
      if (role === "pending") builder.notePending("announcing");
      else if (wasAnnounced(view, draft)) builder.notePending("announced");
      for (const { blob } of media) found(blob);
      if (role === "call") for (const each of media) encodeOutputRow(builder.row(OUTPUTS, revisits), context.key, each);
    }
    // Image records of ours keep theirs: a table of its own takes it.
    if (media.length > 0 || (role !== undefined && !hasConcept(draft, "record"))) {
      context.takeMedia = (attributes) => takeSpanMedia(attributes, media.length > 0, found);
      context.takeMedia(view.attributes);
    }
    encodeSpanRow(builder.row(SPANS, revisits), view, context);
    // They may be there already, from any other call: their rows are looked up before they are written.
    for (const blob of blobs.values()) encodeBlobRow(builder.row(BLOBS, true), context.key, blob);
    if ((view.endTime.lo | view.endTime.hi) === 0) builder.notePending("announcing");
    encodeSpanScores(view, builder, role !== undefined);
    const bits = marksOf(role, view, draft) | (media.some(isDrawn) ? MARK_IMAGE : 0);
    if (bits !== 0) builder.mark(traceIdOf(view), bits, { millis: startMillisOf(view, builder.receivedAtMs), call: sign });
  }

  return {
    view,
    notes,
    open(next) {
      builder = next;
      book = prices(next.projectId);
      origins.clear();
      walker.open(next.raw);
    },
    next: () => nextItem(walker, builder, "span"),
    encode() {
      const fault = idFault(view);
      if (fault !== undefined) {
        builder.refuse(fault);
        return;
      }
      refuseMalformed(builder, "span", encodeRows);
    },
  };
}

/** Where the generation row of a span goes: one that wraps calls is counted only when it is known that it must be. */
function tableOf(role: ReadRole | undefined): TableSpec | undefined {
  if (role === "wrapper-with-usage") return GENERATION_TWINS;
  return role === "call" || role === "pending" ? GENERATION_LOGS : undefined;
}

/** A row that is not counted says nothing on its span: what was mended there is noted under the attribute's own name. */
const aside = (context: SpanContext): SpanContext => ({ ...context, notes: new IngestNotes() });

/** Steps to the next item; one whose own message is broken is refused alone, since its bounds are known. */
export function nextItem(walker: ItemWalker, builder: RequestBuilder, kind: string): Step {
  const found = walker.next();
  if (found === "end" || found === "pause") return found;
  builder.addItem(walker.view.start, walker.view.end);
  if (found === "item") return "item";
  builder.refuse(malformed(kind));
  return "pause";
}

/** What `next` of an encoder came to: an item to encode, a chance to do something else, or the end of the request. */
export type Step = Exclude<WalkResult, "broken">;

interface ItemWalker {
  readonly view: { readonly start: number; readonly end: number };
  next(): WalkResult;
}

/** Runs `encode`; where a nested value turns out to be broken, the item is refused and its rows are taken back. */
export function refuseMalformed(builder: RequestBuilder, kind: string, encode: () => void): void {
  try {
    encode();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    builder.refuse(malformed(kind));
  }
}

const malformed = (kind: string): string =>
  `malformed ${kind} message: if this is another signal, it looks like logs or metrics sent to the wrong path`;

function wasAnnounced({ attributes }: SpanView, draft: GenerationDraft): boolean {
  const index = draft.attribute[CONCEPT.pendingSent]!;
  return index >= 0 && attributes.kinds[index] === VALUE_BOOL && attributes.a[index] !== 0;
}

const HTTP_METHODS = [keyTable.register("http.request.method"), keyTable.register("http.method")];
const CLIENT_KIND = 3;

/** What the span means for the calls of its trace; 0 for nothing. */
function marksOf(role: ReadRole | undefined, view: SpanView, draft: GenerationDraft): number {
  if (role === "call") {
    const image = conceptText(view, draft, "operation")?.startsWith("image") === true || asksForImage(view);
    const resent = hasConcept(draft, "resendCount") ? MARK_RECORD : 0;
    return MARK_CALL | resent | (image ? MARK_IMAGE : 0) | (draft.attribute[CONCEPT.itemId]! >= 0 ? MARK_THING : 0);
  }
  if (role === "wrapper-with-usage") return MARK_WRAPPER;
  if (role === "pending") return MARK_ANNOUNCEMENT;
  const record = role === undefined ? undefined : conceptText(view, draft, "record");
  if (record !== undefined) {
    return MARK_RECORD | (record === "image" || speaksOfImage(view) ? MARK_IMAGE : 0) | (record === "attempt" ? 0 : MARK_THING);
  }
  return view.kind === CLIENT_KIND && HTTP_METHODS.some((key) => view.attributes.find(key) >= 0) ? MARK_HTTP : 0;
}

const IMAGE_SIGNS = [keyTable.register(GENSPAN_IMAGE_REQUEST), keyTable.register(GENSPAN_IMAGE_STATUS)];

/** The announcement of an image, whose record comes at its end. */
const speaksOfImage = (view: SpanView): boolean => IMAGE_SIGNS.some((key) => view.attributes.find(key) >= 0);

const OUTPUT_TYPE = keyTable.register(GEN_AI_OUTPUT_TYPE);

function asksForImage({ attributes }: SpanView): boolean {
  const index = attributes.find(OUTPUT_TYPE);
  return index >= 0 && attributes.textFromSet(index) === "image";
}

/** Models that talk answer with images as well. */
const isDrawn = ({ direction, modality }: CallMedia): boolean => direction === "output" && modality === "image";

const traceIdOf = ({ arena, traceIdOffset }: SpanView): string => arena.request.toString("hex", traceIdOffset, traceIdOffset + 16);

const SHIPPED_PRICES = createPriceBook();
/** The prices where nothing else is given. */
export const shippedPrices = (): PriceBook => SHIPPED_PRICES;

function spanContext(view: SpanView, builder: RequestBuilder, { origins, notes }: { origins: Origins; notes: IngestNotes }): SpanContext {
  return {
    resource: origins.resource,
    scope: origins.scope,
    fields: origins.fields,
    notes,
    contentMoved: 0,
    takeMedia: undefined,
    key: {
      projectId: builder.projectId,
      request: view.arena.request,
      traceIdOffset: view.traceIdOffset,
      spanIdOffset: view.spanIdOffset,
      start: (view.startTime.lo | view.startTime.hi) === 0 ? undefined : view.startTime,
      receivedAtMs: builder.receivedAtMs,
    },
  };
}
