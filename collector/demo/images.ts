import * as A from "../../sdk/attributes.ts";
import { type DemoModel, GEMINI_IMAGE, GPT_IMAGE } from "./models.ts";
import { type Attributes, KIND } from "./otlp.ts";
import { drawPicture } from "./picture.ts";
import type { Random } from "./random.ts";
import { buildTrace, type Story, type TraceBuilder } from "./story.ts";
import { LESSONS } from "./texts.ts";

const CONTENT_FILTER = { type: "content_filter", message: "The prompt was refused by the safety system.", millis: 900 };
const EMPTY_IMAGE = { type: "no_image", message: "The answer held no image.", millis: 5_200 };
/** No model of the list could draw it: about one picture in sixteen. */
const GIVEN_UP = 0.06;

/** Drawings of one lesson differ a little. */
const VARIANTS = 4;

interface Try {
  readonly model: DemoModel;
  readonly failure?: typeof EMPTY_IMAGE;
}

/** Which models are asked, in turn, until one gives a picture. */
function triesOf(random: Random): Try[] {
  const tries: Try[] = [];
  if (random.chance(0.3)) tries.push({ model: GPT_IMAGE, failure: CONTENT_FILTER });
  if (random.chance(0.25)) tries.push({ model: GEMINI_IMAGE, failure: EMPTY_IMAGE });
  const last = { model: random.pick([GPT_IMAGE, GEMINI_IMAGE]) };
  return [...tries, random.chance(GIVEN_UP) ? { ...last, failure: EMPTY_IMAGE } : last];
}

interface Attempt extends Try {
  readonly number: number;
  readonly prompt: string;
  readonly picture: Buffer;
}

function attemptAttributes({ model, failure, number, prompt, picture }: Attempt): Attributes {
  const answer = failure === undefined ? { success: true, dataSize: picture.length } : { success: false, error: failure.message };
  return {
    [A.GENSPAN_RECORD]: "attempt",
    [A.GENSPAN_ATTEMPT_NUMBER]: number,
    [A.GENSPAN_ATTEMPT_OUTCOME]: failure === undefined ? "success" : failure.type,
    [A.GEN_AI_PROVIDER_NAME]: model.provider,
    [A.GEN_AI_REQUEST_MODEL]: model.name,
    [A.GENSPAN_IMAGE_REQUEST]: JSON.stringify({ model: model.name, prompt, size: "1024x1024" }),
    [A.GENSPAN_IMAGE_RESPONSE]: JSON.stringify(answer),
    [A.ERROR_TYPE]: failure?.type,
  };
}

/** One try; the model call in one that succeeds holds the picture. */
function tryOnce(trace: TraceBuilder, attempt: Attempt): void {
  const { model, failure, prompt, picture } = attempt;
  const name = `image ${model.name}`;
  const attributes = attemptAttributes(attempt);
  if (failure !== undefined) {
    trace.step(name, failure.millis, { attributes, error: failure.message });
    return;
  }
  const call = { model, prompt, picture, answer: "", operation: "image_generation", attributes: { [A.GEN_AI_OUTPUT_TYPE]: "image" } };
  trace.around(trace.call(call), name, attributes);
}

/** A picture for a lesson: the first model sometimes refuses, the next one takes over, and the tries stay visible. */
export const imageStory: Story = (random, moment) => {
  const lesson = random.pick(LESSONS);
  const prompt = `Eine ruhige, beschriftete Zeichnung zum Thema „${lesson}“, ohne Text im Hintergrund.`;
  const trace = buildTrace(random, { service: "lesson-images", name: "illustrate lesson", start: moment.start, kind: KIND.internal });
  const tries = triesOf(random);
  const picture = drawPicture({ subject: LESSONS.indexOf(lesson), variant: random.int(1, VARIANTS) });
  for (const [i, each] of tries.entries()) tryOnce(trace, { ...each, number: i + 1, prompt, picture });
  const { model: last, failure } = tries.at(-1)!;
  return trace.finish(
    {
      [A.GENSPAN_RECORD]: "image",
      [A.GENSPAN_ENTITY_TYPE]: "lesson",
      [A.GENSPAN_ENTITY_ID]: `lesson-${LESSONS.indexOf(lesson) + 1}`,
      [A.GENSPAN_IMAGE_REQUEST]: JSON.stringify({ prompt, lesson }),
      [A.GENSPAN_IMAGE_RESPONSE]: failure === undefined ? JSON.stringify({ generatedImagesCount: 1 }) : undefined,
      [A.GENSPAN_IMAGE_MODEL_USED]: failure === undefined ? last.name : undefined,
      [A.GENSPAN_IMAGE_MODELS_TRIED]: tries.map(({ model }) => model.name),
      [A.GENSPAN_IMAGE_STATUS]: failure === undefined ? "completed" : "failed",
    },
    failure?.message,
  );
};
