import { createRandom, type Random } from "./random.ts";

const list = (words: string): readonly string[] => words.split(" ");

const NOUNS = list(
  "teacher pupil lesson paragraph question answer exercise sentence grammar dictionary meaning example picture drawing number fraction triangle " +
    "circle measure experiment river mountain weather climate history century government citizen contract invoice customer product warehouse " +
    "delivery receipt discount schedule meeting project budget estimate document signature policy hospital patient treatment diagnosis medicine " +
    "recipe ingredient kitchen restaurant café journey ticket airport luggage passport museum painting sculpture orchestra melody rhythm theatre " +
    "audience character chapter library article journal reporter interview election debate proposal committee regulation licence engine battery " +
    "voltage circuit sensor network server database column record request response message attribute pipeline deployment release incident",
);
const VERBS = list(
  "explains describes compares replaces contains requires supports improves follows precedes completes defines measures protects delivers " +
    "translates summarises repeats corrects illustrates organises predicts prevents produces receives reduces reflects removes represents " +
    "resolves reveals shapes simplifies strengthens suggests surrounds transforms updates validates",
);
const ADJECTIVES = list(
  "short careful precise ordinary unusual friendly formal colourful ancient modern local foreign simple complex possible necessary early late " +
    "quiet public private reliable temporary permanent narrow wide steady sudden honest practical useful naïve detailed missing complete",
);
const ARTICLES = list("the a this every another one each any no their our your some");
const LINKS = list("because although while unless whenever so where before after until");
const PLACES = list("beside behind within without beyond against between under near towards");

const SYLLABLES = list("ba cor del fen gra hol ist jun kel lor mar nim ost pel quin rav sol tur ul ver wen xan yor zet");

/** A name or a term that occurs rarely: without such words texts would shrink more under compression than people's texts do. */
function term(random: Random): string {
  const syllables = Array.from({ length: 2 + random.below(3) }, () => random.pick(SYLLABLES)).join("");
  return random.below(3) === 0 ? `${syllables.charAt(0).toUpperCase()}${syllables.slice(1)}` : syllables;
}

function sentence(random: Random): string {
  const noun = (): string => (random.below(2) === 0 ? term(random) : random.pick(NOUNS));
  const phrase = (): string => `${random.pick(ARTICLES)} ${random.below(3) === 0 ? term(random) : random.pick(ADJECTIVES)} ${noun()}`;
  const clause = (): string => `${phrase()} ${random.pick(VERBS)} ${phrase()}`;
  const forms = [
    () => `${clause()} ${random.pick(PLACES)} ${phrase()}.`,
    () => `${clause()}, ${random.pick(LINKS)} ${clause()}.`,
    () => `Write "${random.pick(NOUNS)}" in ${2 + random.below(98)} words – ${random.pick(LINKS)} ${clause()}.`,
    () => `Which ${random.pick(NOUNS)} ${random.pick(VERBS)} ${phrase()}?\n`,
    () => `${1 + random.below(9)}. ${clause()} (${random.pick(ADJECTIVES)}, ${random.hex(5)} %).\n`,
  ];
  const text = random.pick(forms)();
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

const SENTENCES = 5_000;

/** All texts are made of these: so many that few come twice within the 32 KB that gzip looks back. */
const corpus: readonly string[] = (() => {
  const random = createRandom(1);
  return Array.from({ length: SENTENCES }, () => `${sentence(random)} `);
})();

/** Plain text of `bytes` bytes in UTF-8 (one or two fewer where a character would be cut): quotes, line ends and a few letters beyond ASCII. */
export function prose(random: Random, bytes: number): string {
  let text = "";
  let size = 0;
  while (size < bytes) {
    const next = random.pick(corpus);
    text += next;
    size += Buffer.byteLength(next);
  }
  const cut = Buffer.from(text).subarray(0, bytes);
  return cut.toString("utf8").replace(/\uFFFD+$/u, "");
}
