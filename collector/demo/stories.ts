import * as A from "../../sdk/attributes.ts";
import { imageStory } from "./images.ts";
import { type DemoModel, GEMINI_FLASH, GPT_MINI, MISTRAL, SONNET, UNPRICED } from "./models.ts";
import { KIND } from "./otlp.ts";
import { quizStory } from "./quiz.ts";
import { buildTrace, callWithFallback, type Story } from "./story.ts";
import { LEGAL_TERMS, LOGIC_QUESTIONS } from "./texts.ts";

/** A chat about one logic question; now and then the person asks once more. */
export const logicStory: Story = (random, moment) => {
  const trace = buildTrace(random, { service: "logic-tutor", name: "POST /chat", start: moment.start });
  const [question, answer] = random.pick(LOGIC_QUESTIONS);
  const person = { [A.GEN_AI_CONVERSATION_ID]: `conv-${random.hex(4)}`, [A.USER_ID]: `learner-${random.int(1, 400)}` };
  const call = {
    model: random.pick([GPT_MINI, GEMINI_FLASH, SONNET]),
    system: "Du bist ein geduldiger Lehrer für Logik.",
    attributes: person,
  };
  callWithFallback(
    trace,
    { ...call, prompt: question, answer, reasoning: `Ich prüfe die Annahmen der Reihe nach. ${question}` },
    { random, moment },
  );
  if (random.chance(0.3)) {
    callWithFallback(
      trace,
      { ...call, prompt: "Kannst du das genauer erklären?", answer: `Gern, Schritt für Schritt: ${answer}` },
      { random, moment },
    );
  }
  return trace.finish({ "http.request.method": "POST", "http.route": "/chat", "http.response.status_code": 200 });
};

const DRIFT_SINCE_DAYS_AGO = 6;
const INSTRUCTIONS = "Geef een definitie in één zin, in de stijl van een juridisch woordenboek.";
/** The story of the drift: somebody changed the text of version 1.3 and kept its number. */
const CHANGED_INSTRUCTIONS = `${INSTRUCTIONS} Noem nooit een wetsartikel.`;

/** A definition of a term of Dutch law, some by a model that nobody has a price for. */
export const definitionStory: Story = (random, moment) => {
  const trace = buildTrace(random, { service: "juridisch-woordenboek", name: "definieer", start: moment.start, kind: KIND.internal });
  const [term, definition] = random.pick(LEGAL_TERMS);
  const model: DemoModel = random.chance(0.25) ? UNPRICED : random.pick([MISTRAL, SONNET]);
  const cut = random.chance(0.02);
  callWithFallback(
    trace,
    {
      model,
      system: moment.daysAgo < DRIFT_SINCE_DAYS_AGO ? CHANGED_INSTRUCTIONS : INSTRUCTIONS,
      prompt: `Definieer: ${term}`,
      answer: cut ? definition.slice(0, 40) : definition,
      finishReason: cut ? "length" : "stop",
      attributes: {
        [A.GEN_AI_REQUEST_TEMPERATURE]: 0.2,
        [A.GEN_AI_PROMPT_NAME]: "legal-definition",
        [A.GEN_AI_PROMPT_VERSION]: "1.3",
        [A.GENSPAN_ENTITY_TYPE]: "definitie",
        [A.GENSPAN_ENTITY_ID]: String(LEGAL_TERMS.findIndex(([each]) => each === term) + 1),
      },
    },
    { random, moment },
  );
  return trace.finish();
};

/** The everyday traffic, with how often each kind of it happens. */
export const EVERYDAY: readonly (readonly [Story, number])[] = [
  [quizStory, 0.5],
  [logicStory, 0.25],
  [definitionStory, 0.17],
  [imageStory, 0.08],
];
