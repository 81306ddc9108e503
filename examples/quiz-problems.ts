/**
 * A language quiz writes problems of several sentences, each by a call of its own, and keeps beside every problem how it was made.
 * Shows: startProblemTrace(), reasoning and token counts per sentence, a retry, quality, toJSON() for the application's own table.
 *
 * Run it beside a collector (npx genspan serve): node quiz-problems.ts
 */
import { type GenerationTrace, type ProblemGenerationTrace, read, startProblemTrace, startTracing } from "@genspan/sdk";

const tracing = startTracing({ serviceName: "language-quiz", environment: "development" });

const MODEL = "gpt-5-nano-2025-08-07";
const SENTENCE_PROMPT_VERSION = "2.0";
const PROBLEM_PROMPT_VERSION = "2.0";

/** The application's own table. */
interface Problem {
  readonly id: number;
  readonly title: string;
  readonly sentences: readonly string[];
  readonly generation_trace: ProblemGenerationTrace;
}
const problems: Problem[] = [];

/** The fake model is overloaded once, so that one sentence needs a second try. */
let wasOverloaded = false;

/** Stands in for `openai.chat.completions.create`: put the real client here. */
async function callModel(messages: readonly { role: string; content: string }[]) {
  await new Promise((resolve) => setTimeout(resolve, 10));
  const [topic = ""] = /pronoun "\w+"/.exec(messages[0]?.content ?? "") ?? [];
  if (topic.includes("leur") && !wasOverloaded) {
    wasOverloaded = true;
    throw Object.assign(new Error("The server is overloaded"), { status: 503 });
  }
  return {
    id: `chatcmpl-${topic.replaceAll(/\W/g, "")}`,
    object: "chat.completion",
    created: 1_760_000_000,
    model: MODEL,
    choices: [
      {
        index: 0,
        finish_reason: "stop",
        message: { role: "assistant", content: `A sentence with the ${topic}.`, reasoning_content: `The ${topic} stands before the verb.` },
      },
    ],
    usage: { prompt_tokens: 150, completion_tokens: 575, total_tokens: 725, completion_tokens_details: { reasoning_tokens: 500 } },
  };
}

async function writeSentence(trace: GenerationTrace, index: number, pronoun: string): Promise<string> {
  const messages = [{ role: "user", content: `Write a French sentence with the pronoun "${pronoun}".` }];
  const prompt = { name: "sentence", version: SENTENCE_PROMPT_VERSION };
  const completion = await trace.generate(
    { index, model: MODEL, provider: "openai", messages, prompt },
    () => callModel(messages),
    read.openaiChat,
  );
  return completion.choices[0]?.message.content ?? "";
}

async function createGrammarProblem(title: string, pronouns: readonly string[]): Promise<Problem> {
  using trace = startProblemTrace({ title, promptVersion: PROBLEM_PROMPT_VERSION, metadata: { focus: "pronouns" } });
  const sentences: string[] = [];
  // A sentence that fails is tried once more, in the same place.
  for (const [index, pronoun] of pronouns.entries()) {
    sentences.push(await writeSentence(trace, index, pronoun).catch(() => writeSentence(trace, index, pronoun)));
  }
  trace.quality({ status: "pending_review", issues: ["order of the pronouns"] });
  trace.complete();
  const problem = { id: problems.length + 1, title, sentences, generation_trace: trace.toJSON() };
  problems.push(problem);
  trace.link({ type: "problem", id: problem.id });
  return problem;
}

const { id, generation_trace } = await createGrammarProblem("Indirect object pronouns", ["me", "lui", "leur", "nous"]);
console.log(
  `problem ${id}: ${generation_trace.sentences.length} sentences, ${generation_trace.total_tokens} tokens, of which reasoning ${generation_trace.total_reasoning_tokens}`,
);
console.log(JSON.stringify(generation_trace.sentences[2], undefined, 2));
await tracing.shutdown();
