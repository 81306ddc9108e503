import * as A from "../../sdk/attributes.ts";
import { GPT_MINI } from "./models.ts";
import { KIND } from "./otlp.ts";
import type { Random } from "./random.ts";
import { buildTrace, type Moment, type Story, type TraceBuilder } from "./story.ts";
import { LOGIC_QUESTIONS } from "./texts.ts";

const CALLS_BEFORE_THE_END = 12;
const REQUESTED = 50;

/** A uuid of version 4. */
export const uuid = (random: Random): string => random.hex(16).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");

/** Announces a call that nothing more is heard of. */
function announce(trace: TraceBuilder, random: Random, runId: string, question: string): void {
  trace.step(`pending chat ${GPT_MINI.name}`, 0, {
    parentSpanId: random.hex(8),
    attributes: {
      [A.GENSPAN_RECORD]: "pending",
      [A.GEN_AI_OPERATION_NAME]: "chat",
      [A.GEN_AI_PROVIDER_NAME]: GPT_MINI.provider,
      [A.GEN_AI_REQUEST_MODEL]: GPT_MINI.name,
      [A.GEN_AI_INPUT_MESSAGES]: JSON.stringify([{ role: "user", parts: [{ type: "text", content: question }] }]),
      [A.GENSPAN_RUN_ID]: runId,
    },
  });
}

function batch(random: Random, { start }: Moment, calls: number): ReturnType<Story> {
  const runId = uuid(random);
  const trace = buildTrace(random, { service: "question-batch", name: "generate questions", start, kind: KIND.internal });
  trace.step("pending run", 0, {
    kind: KIND.internal,
    attributes: {
      [A.GENSPAN_RECORD]: "pending",
      [A.GENSPAN_RUN_ID]: runId,
      [A.GENSPAN_RUN_STATUS]: "running",
      [A.GENSPAN_RUN_KIND]: "questions",
      [A.GENSPAN_RUN_REQUESTED]: REQUESTED,
      [A.GENSPAN_RUN_TRIGGERED_BY]: "manual",
    },
  });
  for (let i = 0; i < calls; i++) {
    const [question, answer] = random.pick(LOGIC_QUESTIONS);
    trace.call({
      model: GPT_MINI,
      prompt: `Schreibe eine Frage wie diese: ${question}`,
      answer,
      attributes: { [A.GENSPAN_RUN_ID]: runId },
    });
  }
  announce(trace, random, runId, "Schreibe eine schwere Frage über Zeitzonen.");
  const { spans, ...unfinished } = trace.finish();
  // The span around a batch comes when it ends, and this one has not.
  return { ...unfinished, spans: spans.slice(1) };
}

/** The story of the stuck batch: it stops in the middle of a call, which stays pending until the reaper makes it a timeout. */
export const stuckBatchStory: Story = (random, moment) => batch(random, moment, CALLS_BEFORE_THE_END);

/** A batch that began a few minutes ago and waits for its answer. */
export const runningBatchStory: Story = (random, moment) => batch(random, moment, 2);
