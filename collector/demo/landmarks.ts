import * as A from "../../sdk/attributes.ts";
import { runningBatchStory, stuckBatchStory } from "./batch.ts";
import { nanos } from "./calls.ts";
import { GPT_MINI, MISTRAL } from "./models.ts";
import { type DemoSpan, type DemoTrace, KIND } from "./otlp.ts";
import type { Random } from "./random.ts";
import { nightlyRunStory } from "./runs.ts";
import { buildTrace, type Moment, type Story } from "./story.ts";
import { HOSTILE_STRINGS, LEGAL_TERMS } from "./texts.ts";

const IMPORT_SPANS = 2_000;
const IMPORT_ERRORS = 7;
const SPANS_PER_CHAPTER = 40;

/** The story of the big trace: an import of 2,000 spans in three levels, 7 of them failed, far apart. */
export const importStory: Story = (random, { start }) => {
  const traceId = random.hex(16);
  const root = {
    spanId: random.hex(8),
    name: "import catalogue",
    kind: KIND.internal,
    start,
    attributes: { "import.source": "catalogue.xml" },
  };
  const spans: DemoSpan[] = [];
  let clock = start + nanos(2);
  const leaf = (chapter: string, index: number): DemoSpan => {
    const failed = index % Math.floor(IMPORT_SPANS / IMPORT_ERRORS) === 150;
    const end = clock + nanos(random.around(failed ? 40 : 6));
    const span: DemoSpan = {
      spanId: random.hex(8),
      parentSpanId: chapter,
      name: random.pick(["parse entry", "INSERT entries", "check links", "render preview"]),
      kind: KIND.internal,
      start: clock,
      end,
      attributes: { "import.entry": index, ...(failed ? { [A.ERROR_TYPE]: "ConstraintViolation" } : {}) },
      ...(failed ? { error: "duplicate title" } : {}),
    };
    clock = end;
    return span;
  };
  while (spans.length < IMPORT_SPANS - 1) {
    const spanId = random.hex(8);
    const chapterStart = clock;
    const wanted = Math.min(SPANS_PER_CHAPTER - 1, IMPORT_SPANS - 2 - spans.length);
    const leaves = Array.from({ length: wanted }, (_, i) => leaf(spanId, spans.length + i));
    const chapter = { spanId, parentSpanId: root.spanId, name: "import chapter", kind: KIND.internal, attributes: {} };
    spans.push({ ...chapter, start: chapterStart, end: clock }, ...leaves);
  }
  return { traceId, service: "catalogue-import", spans: [{ ...root, end: clock }, ...spans] };
};

const HUGE_MESSAGE_CHARS = 1024 * 1024;

/** The story of the big message: somebody pastes a judgment of one mebibyte and asks for a summary. */
export const hugeMessageStory: Story = (random, { start }) => {
  const paragraphs: string[] = [];
  for (let size = 0, n = 1; size < HUGE_MESSAGE_CHARS; n++) {
    const [term, definition] = random.pick(LEGAL_TERMS);
    const paragraph = `${n}. Ten aanzien van de ${term} overweegt de rechtbank als volgt. ${definition}`;
    paragraphs.push(paragraph);
    size += paragraph.length + 2;
  }
  const trace = buildTrace(random, { service: "juridisch-woordenboek", name: "vat samen", start, kind: KIND.internal });
  trace.call({ model: MISTRAL, prompt: paragraphs.join("\n\n"), answer: "De rechtbank wijst de vordering af." });
  return trace.finish();
};

/** The story of the hostile strings: each of them as prompt, answer, attribute and name. */
export const hostileStory: Story = (random, { start }) => {
  const trace = buildTrace(random, { service: "logic-tutor", name: "POST /chat", start });
  for (const text of HOSTILE_STRINGS) {
    trace.call({
      model: GPT_MINI,
      prompt: text,
      answer: text,
      attributes: {
        [A.USER_ID]: text,
        "__proto__.polluted": text,
        constructor: text,
        [A.GENSPAN_ENTITY_TYPE]: "hostile",
        [A.GENSPAN_ENTITY_ID]: text,
      },
    });
    trace.step(text, 2);
  }
  return trace.finish();
};

/** Nightly batches, one a day. */
const NIGHTS = 12;
const LAST_NIGHT_DAYS_AGO = 0.25;

/** Traces that happen once, with how many days ago; newest last. */
const LANDMARKS: readonly (readonly [Story, number])[] = [
  ...Array.from({ length: NIGHTS }, (_, i) => [nightlyRunStory, NIGHTS - i + LAST_NIGHT_DAYS_AGO] as const),
  [importStory, 2.5],
  [hugeMessageStory, 1.3],
  [hostileStory, 0.6],
  [stuckBatchStory, 4 / 24],
  [runningBatchStory, 5 / (24 * 60)],
];

const NANOS_PER_DAY = 86_400_000_000_000;

/** The traces that happen once, for a history that ends at `end`. */
export const landmarks = (random: Random, end: bigint): DemoTrace[] =>
  LANDMARKS.map(([story, daysAgo]): DemoTrace => {
    const moment: Moment = { daysAgo, start: end - BigInt(Math.round(daysAgo * NANOS_PER_DAY)) };
    return story(random, moment);
  });
