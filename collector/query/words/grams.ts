/** Letters and digits of a piece of a word. Shorter ones stand in nearly every text; longer ones know nothing of short words. */
const GRAM_CHARS = 4;
const CHAR_BITS = 6;
const GRAM_MASK = (1 << (GRAM_CHARS * CHAR_BITS)) - 1;
const CODES = 1 << (GRAM_CHARS * CHAR_BITS);
const ASCII = 128;

/** Digits and letters of ASCII by their number, both cases alike; 0 is everything that no piece goes across. */
const CHAR_CODES = Uint8Array.from({ length: ASCII }, (_, char) => {
  const place = "0123456789abcdefghijklmnopqrstuvwxyz".indexOf(String.fromCharCode(char).toLowerCase());
  return place + 1;
});

/** Pieces of texts, each once. */
export interface Grams {
  readonly size: number;
  /** Takes in every run of four letters or digits of ASCII, whatever their case. */
  add(text: string): void;
  /** The pieces so far, each as one number; then it is empty again. */
  take(): Uint32Array;
}

export function createGrams(): Grams {
  const seen = new Uint8Array(CODES / 8);
  const codes: number[] = [];
  return {
    get size() {
      return codes.length;
    },
    add(text) {
      for (let i = 0, run = 0, code = 0; i < text.length; i++) {
        const char = text.charCodeAt(i);
        const value = char < ASCII ? CHAR_CODES[char]! : 0;
        if (value === 0) {
          run = 0;
          continue;
        }
        code = ((code << CHAR_BITS) | value) & GRAM_MASK;
        if (++run < GRAM_CHARS) continue;
        const before = seen[code >> 3]!;
        const after = before | (1 << (code & 7));
        if (before === after) continue;
        seen[code >> 3] = after;
        codes.push(code);
      }
    },
    take() {
      for (const code of codes) seen[code >> 3] = 0;
      return Uint32Array.from(codes.splice(0));
    },
  };
}

/** Bits for each piece: about a fifth of them is then set, and so many of the pieces that are not there look as if they were. */
const BITS_PER_GRAM = 4;
const MIN_BYTES = 8;
/** Two rows with signatures fit into a page of PostgreSQL. */
export const MAX_SIGNATURE_BYTES = 3_900;

/** As many pieces as one signature takes without becoming vague. */
export const MAX_GRAMS = (MAX_SIGNATURE_BYTES * 8) / BITS_PER_GRAM;

/** Spreads pieces over the bits of a signature: bit `gramHash % bits`, as get_bit() of PostgreSQL counts them. */
export const gramHash = (code: number): number => Math.imul(code, 0x9e3779b1) >>> 0;

/** A set that says "no" or "maybe" for a piece. The texts cannot be read out of it. */
export function signatureOf(codes: Uint32Array): Uint8Array {
  const bytes = Math.min(MAX_SIGNATURE_BYTES, Math.max(MIN_BYTES, Math.ceil((codes.length * BITS_PER_GRAM) / 8)));
  const signature = new Uint8Array(bytes);
  for (const code of codes) {
    const bit = gramHash(code) % (bytes * 8);
    signature[bit >> 3]! |= 1 << (bit & 7);
  }
  return signature;
}

/** What every text with this word has in its signature; nothing for words of fewer than four letters or digits side by side. */
export function hashesOf(word: string): number[] {
  const grams = createGrams();
  grams.add(word);
  return [...grams.take()].map(gramHash);
}
