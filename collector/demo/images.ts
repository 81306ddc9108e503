import * as A from "../../sdk/attributes.ts";
import { type DemoModel, GEMINI_IMAGE, GPT_IMAGE } from "./models.ts";
import { type Attributes, KIND } from "./otlp.ts";
import type { Random } from "./random.ts";
import { buildTrace, type Story } from "./story.ts";
import { LESSONS } from "./texts.ts";

const CONTENT_FILTER = { type: "content_filter", message: "The prompt was refused by the safety system.", millis: 900 };
const EMPTY_IMAGE = { type: "no_image", message: "The answer held no image.", millis: 5_200 };
/** No model of the list could draw it: about one picture in sixteen. */
const GIVEN_UP = 0.06;

/** A small drawing, as an image model would give it. */
function drawing(random: Random): string {
  const color = `hsl(${random.int(0, 359)} 60% 60%)`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="${random.int(1, 4)}" fill="${color}"/></svg>`;
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
}

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

function attemptAttributes({ model, failure }: Try, number: number, prompt: string, random: Random): Attributes {
  const answer = failure === undefined ? { image: drawing(random) } : { error: failure.message };
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

/** A picture for a lesson: the first model sometimes refuses, the next one takes over, and the tries stay visible. */
export const imageStory: Story = (random, moment) => {
  const lesson = random.pick(LESSONS);
  const prompt = `Eine ruhige, beschriftete Zeichnung zum Thema „${lesson}“, ohne Text im Hintergrund.`;
  const trace = buildTrace(random, { service: "lesson-images", name: "illustrate lesson", start: moment.start, kind: KIND.internal });
  const tries = triesOf(random);
  for (const [i, each] of tries.entries()) {
    const { failure, model } = each;
    trace.step(`image ${model.name}`, failure?.millis ?? model.millisToFirstChunk * 1.5, {
      attributes: attemptAttributes(each, i + 1, prompt, random),
      ...(failure === undefined ? {} : { error: failure.message }),
    });
  }
  const { model: last, failure } = tries.at(-1)!;
  return trace.finish(
    {
      [A.GENSPAN_RECORD]: "image",
      [A.GENSPAN_ENTITY_TYPE]: "lesson",
      [A.GENSPAN_ENTITY_ID]: `lesson-${LESSONS.indexOf(lesson) + 1}`,
      [A.GENSPAN_IMAGE_REQUEST]: JSON.stringify({ prompt, lesson }),
      [A.GENSPAN_IMAGE_MODEL_USED]: failure === undefined ? last.name : undefined,
      [A.GENSPAN_IMAGE_MODELS_TRIED]: tries.map(({ model }) => model.name),
      [A.GENSPAN_IMAGE_STATUS]: failure === undefined ? "completed" : "failed",
    },
    failure?.message,
  );
};
