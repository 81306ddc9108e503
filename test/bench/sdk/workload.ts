import { prose } from "../prose.ts";
import { createRandom } from "../random.ts";

/** One generation as every contestant records it: a prompt of 10 KB, an answer of 1.2 KB, about twenty facts. */
export interface Work {
  readonly prompt: string;
  readonly answer: string;
  readonly number: number;
}

const PROMPT_BYTES = 10 * 1024;
const ANSWER_BYTES = 1_200;
const DIFFERENT = 64;

/** Texts in Latin-1, which V8 holds in one byte for each character; others cost every contestant about twice as much. */
const latin1 = (text: string): string => Buffer.from(text.replaceAll("–", "-"), "latin1").toString("latin1");

/** The same works for every contestant. */
export function createWorkload(): (number: number) => Work {
  const random = createRandom(7);
  const texts = Array.from({ length: DIFFERENT }, () => ({
    prompt: latin1(prose(random, PROMPT_BYTES)),
    answer: latin1(prose(random, ANSWER_BYTES)),
  }));
  return (number) => ({ ...texts[number % DIFFERENT]!, number });
}
