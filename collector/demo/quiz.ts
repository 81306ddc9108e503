import * as A from "../../sdk/attributes.ts";
import { uuid } from "./batch.ts";
import { GEMINI_FLASH, GPT_MINI, GPT_NANO, SONNET } from "./models.ts";
import { KIND } from "./otlp.ts";
import type { Random } from "./random.ts";
import { buildTrace, callWithFallback, type Moment, type Story } from "./story.ts";
import { LEVELS, NAMES, QUIZ_SENTENCES } from "./texts.ts";

interface PromptVersion {
  readonly version: string;
  readonly sinceDaysAgo: number;
  /** Share of sentences that a reviewer approves. */
  readonly approval: number;
  readonly slowness: number;
  readonly instructions: string;
}

const RULES = "Du schreibst Lückensätze für Deutschlernende. Genau eine Antwort darf passen. Antworte als JSON.";

/** The story of the three versions: 2.1 is better than 2.0, and 2.2 is slower without being better. */
const VERSIONS: readonly PromptVersion[] = [
  {
    version: "2.2",
    sinceDaysAgo: 4,
    approval: 0.89,
    slowness: 1.9,
    instructions: `${RULES} Denke zuerst Schritt für Schritt über jede falsche Antwort nach und begründe sie.`,
  },
  {
    version: "2.1",
    sinceDaysAgo: 9,
    approval: 0.9,
    slowness: 1,
    instructions: `${RULES} Prüfe jede falsche Antwort: sie muss im Satz falsch sein.`,
  },
  { version: "2.0", sinceDaysAgo: Number.POSITIVE_INFINITY, approval: 0.71, slowness: 1, instructions: RULES },
];

const versionAt = ({ daysAgo }: Moment): PromptVersion => VERSIONS.find((each) => daysAgo <= each.sinceDaysAgo)!;

const WRITERS = [GPT_MINI, GPT_MINI, SONNET, GEMINI_FLASH] as const;
const ISSUES = [["ambiguous_answer"], ["unnatural_sentence"], ["wrong_level", "too_long"]] as const;
/** Sentences younger than this still wait for their reviewer. */
const REVIEWED_AFTER_DAYS = 0.5;

function quality(random: Random, { daysAgo }: Moment, approval: number): Record<string, string | number> {
  if (daysAgo < REVIEWED_AFTER_DAYS) return { [A.GENSPAN_QUALITY_STATUS]: "pending_review" };
  if (random.chance(approval)) {
    return { [A.GENSPAN_QUALITY_STATUS]: "approved", [A.GENSPAN_QUALITY_SCORE]: Number((0.75 + random.next() / 4).toFixed(2)) };
  }
  return {
    [A.GENSPAN_QUALITY_STATUS]: "rejected",
    [A.GENSPAN_QUALITY_ISSUES]: JSON.stringify(random.pick(ISSUES)),
    [A.GENSPAN_QUALITY_SCORE]: Number((random.next() / 2).toFixed(2)),
  };
}

/** One quiz of a few German gap sentences: each is written by one model and checked by a smaller one. */
export const quizStory: Story = (random, moment) => {
  const prompt = versionAt(moment);
  const problemId = `problem-${random.int(1000, 9999)}`;
  const itemId = uuid(random);
  const level = random.pick(LEVELS);
  const trace = buildTrace(random, { service: "quiz-service", name: "POST /api/quiz", start: moment.start });
  trace.step("SELECT vocabulary", 4, { attributes: { "db.system.name": "postgresql", "db.operation.name": "SELECT" } });
  const sentences = random.int(2, 4);
  const topics: string[] = [];
  for (let i = 0; i < sentences; i++) {
    const item = random.pick(QUIZ_SENTENCES);
    if (!topics.includes(item.topic)) topics.push(item.topic);
    const options = JSON.stringify({ satz: item.sentence, richtig: item.answer, falsch: item.wrong });
    callWithFallback(
      trace,
      {
        model: random.pick(WRITERS),
        slowness: prompt.slowness,
        system: prompt.instructions,
        prompt: `Thema: ${item.topic}. Niveau: ${level}. Die Person heißt ${random.pick(NAMES)}. Schreibe Satz ${i + 1} von ${sentences}.`,
        reasoning: `Gesucht ist ein Satz zum Thema ${item.topic}. „${item.answer}“ passt; ${item.wrong.join(", ")} passen nicht.`,
        answer: options,
        attributes: {
          [A.GEN_AI_REQUEST_TEMPERATURE]: 0.8,
          [A.GEN_AI_PROMPT_NAME]: "quiz-sentence",
          [A.GEN_AI_PROMPT_VERSION]: prompt.version,
          [`${A.GEN_AI_PROMPT_VARIABLE_PREFIX}topic`]: item.topic,
          [`${A.GEN_AI_PROMPT_VARIABLE_PREFIX}level`]: level,
          [A.GENSPAN_ENTITY_TYPE]: "problem",
          [A.GENSPAN_ENTITY_ID]: problemId,
          [A.GENSPAN_ITEM_ID]: itemId,
          [A.GENSPAN_ITEM_INDEX]: i,
          ...quality(random, moment, prompt.approval),
        },
      },
      { random, moment },
    );
    trace.call({
      model: GPT_NANO,
      prompt: `Ist genau eine Antwort richtig? ${options}`,
      answer: random.chance(prompt.approval) ? "ja" : "nein",
      attributes: {
        [A.GEN_AI_PROMPT_NAME]: "quiz-arbiter",
        [A.GEN_AI_PROMPT_VERSION]: "1.0",
        [A.GENSPAN_ENTITY_TYPE]: "problem",
        [A.GENSPAN_ENTITY_ID]: problemId,
      },
    });
  }
  trace.step("problem", 1, {
    kind: KIND.internal,
    attributes: {
      [A.GENSPAN_RECORD]: "item",
      [A.GENSPAN_ITEM_ID]: itemId,
      [A.GENSPAN_ITEM_KIND]: "problem",
      [A.GENSPAN_ITEM_TITLE]: `${topics.join(", ")} (${level})`,
      [A.GEN_AI_PROMPT_VERSION]: prompt.version,
      [A.GENSPAN_ENTITY_TYPE]: "problem",
      [A.GENSPAN_ENTITY_ID]: problemId,
    },
  });
  trace.step("INSERT problems", 6, { attributes: { "db.system.name": "postgresql", "db.operation.name": "INSERT" } });
  return trace.finish({ "http.request.method": "POST", "http.route": "/api/quiz", "http.response.status_code": 201 });
};
