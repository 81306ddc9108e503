/**
 * A generator of legal definitions keeps the exact prompt of every definition: the call is recorded before it is made, and tied to the
 * definition once that is saved. Shows: generate(), prompt templates, failures, linkGeneration().
 *
 * Run it beside a collector (npx genspan serve): node definitions.ts
 */
import { generate, linkGeneration, startTracing } from "@genspan/sdk";

const tracing = startTracing({ serviceName: "definition-generator", environment: "development" });

/** The application's own table: a row knows which generation made it. */
interface Definitie {
  readonly id: number;
  readonly begrip: string;
  readonly definitie: string;
  readonly generationLogId: string;
}
const definities: Definitie[] = [];
let nextId = 456;

const MODEL = "gpt-4-turbo-2024-04-09";

/** Puts the prompt together from its modules, as the template of this version says. */
function buildPrompt(begrip: string) {
  const modules = ["base", "context", "examples", "validation"];
  const text = `# DEFINITIE GENERATIE\n\nGenereer een definitie voor ${begrip}.\nGebruik de modules: ${modules.join(", ")}.`;
  return { name: "unified_definition_v2", version: "2.0", modules, text, variables: { begrip } };
}

/** Stands in for `openai.chat.completions.create`: put the real client here. */
async function callModel({ prompt }: { model: string; temperature: number; max_tokens: number; prompt: string }) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (prompt.includes("aangifte"))
    throw Object.assign(new Error("Rate limit reached, try again in 20 s"), { status: 429, code: "rate_limit_exceeded" });
  if (prompt.includes("getuige")) throw new DOMException("The model did not answer within 30 s", "TimeoutError");
  return {
    id: "chatcmpl-AbCdEf123456",
    object: "chat.completion",
    created: 1_762_871_026,
    model: MODEL,
    choices: [
      {
        index: 0,
        finish_reason: "stop",
        message: { role: "assistant", content: "Persoon tegen wie een redelijk vermoeden van schuld bestaat." },
      },
    ],
    usage: { prompt_tokens: 1234, completion_tokens: 567, total_tokens: 1801 },
  };
}

async function generateDefinition(begrip: string): Promise<Definitie> {
  const prompt = buildPrompt(begrip);
  let generationLogId = "";
  const completion = await generate(
    {
      model: MODEL,
      provider: "openai",
      prompt,
      params: { temperature: 0.7, maxTokens: 2000, topP: 1, frequencyPenalty: 0, presencePenalty: 0 },
    },
    (generation) => {
      generationLogId = generation.id;
      return callModel({ model: MODEL, temperature: 0.7, max_tokens: 2000, prompt: prompt.text });
    },
  );
  const definitie = { id: nextId++, begrip, definitie: completion.choices[0]?.message.content ?? "", generationLogId };
  definities.push(definitie);
  linkGeneration(generationLogId, { type: "definitie", id: definitie.id });
  return definitie;
}

for (const begrip of ["verdachte", "aangifte", "getuige"]) {
  try {
    const { id, definitie, generationLogId } = await generateDefinition(begrip);
    console.log(`${begrip}: ${definitie} (definitie ${id}, generation ${generationLogId})`);
  } catch (error) {
    console.log(`${begrip}: ${(error as Error).message}`);
  }
}

await tracing.shutdown();
