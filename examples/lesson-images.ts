/**
 * A lesson gets its pictures: image models are tried in turn until one draws, and the trace keeps every try.
 * Shows: ImageTracer with attempts that are told or made by it, a fallback, a failure, and reading the traces back.
 *
 * Run it beside a collector (npx genspan serve): node lesson-images.ts
 */
import { ImageTracer, startTracing } from "@genspan/sdk";

const tracing = startTracing({ serviceName: "lesson-images", environment: "development" });

const SDXL = "stabilityai/stable-diffusion-xl-base-1.0";
const FLUX = "black-forest-labs/FLUX.1-dev";

/** Stands in for an image API: put the real client here. FLUX is overloaded today, and nobody draws dragons. */
async function draw(model: string, prompt: string): Promise<Uint8Array> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (prompt.includes("dragon")) throw new Error("The prompt was refused by the safety system");
  if (model === FLUX) throw new Error("Model timeout");
  return new Uint8Array(212_272);
}

/** Stands in for the upload to the lesson's storage. */
const upload = async (lessonId: string, _picture: Uint8Array): Promise<string> => `https://cdn.example.com/${lessonId}/1.png`;

/** Tries the models in turn; the tracer makes each attempt and records how it went. */
async function illustrate(lessonId: string, prompt: string, models: readonly string[]): Promise<string | undefined> {
  await using tracer = new ImageTracer(lessonId);
  const prompts = [{ prompt, position: "full", targetSection: 2 }];
  await tracer.startTrace({ lessonId, numberOfImages: 1, prompts });
  let lastError = "no model was tried";
  for (const model of models) {
    try {
      const request = { prompt, model, options: { negative_prompt: "text, watermark", guidance_scale: 7.5 } };
      const picture = await tracer.attempt({ model, prompt, request }, () => draw(model, prompt));
      const imageUrls = [await upload(lessonId, picture)];
      await tracer.completeTrace({ generatedImagesCount: 1, uploadedImagesCount: 1, imageUrls }, model);
      return imageUrls[0];
    } catch (error) {
      lastError = (error as Error).message;
    }
  }
  await tracer.failTrace(lastError);
  return undefined;
}

/** Code that makes its calls elsewhere tells of them when they are over. */
async function recordFinishedLesson(): Promise<void> {
  const tracer = new ImageTracer("lesson-123");
  const prompt = "A cat playing with yarn, educational illustration";
  await tracer.startTrace({ lessonId: "lesson-123", numberOfImages: 1, prompts: [{ prompt, position: "full", targetSection: 2 }] });
  tracer.addImageGenerationAttempt({
    model: SDXL,
    prompt,
    request: { prompt, model: SDXL },
    response: { success: true, dataSize: 212272 },
    duration_ms: 3542,
    success: true,
  });
  await tracer.completeTrace({ generatedImagesCount: 1, uploadedImagesCount: 1, imageUrls: ["https://..."] }, SDXL);
}

await recordFinishedLesson();
console.log("lesson-124:", await illustrate("lesson-124", "A dog reading a book", [FLUX, SDXL]));
console.log("lesson-125:", await illustrate("lesson-125", "A friendly dragon", [FLUX, SDXL]));
await tracing.shutdown();
