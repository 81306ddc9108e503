import { byteSet, endOf, endOfRun, placesOf } from "./byte-text.ts";
import type { Finder, Found } from "./redaction.ts";
import { PAUSE, PAUSE_BYTES, type Pause } from "./steps.ts";
import type { TextRange } from "./text-locator.ts";

export const PII_KINDS = ["email", "credit_card", "iban", "phone", "ip"] as const;
export type PiiKind = (typeof PII_KINDS)[number];

const LOCAL = byteSet("A-Za-z0-9.!#$%&'*+/=?^_`{|}~-");
const DOMAIN = byteSet("A-Za-z0-9.-");
const DIGIT = byteSet("0-9");
const UPPER_DIGIT = byteSet("A-Z0-9");
/** RFC 5321: at most 64 bytes before the sign and 255 after it. */
const MAX_LOCAL = 64;
const MAX_DOMAIN = 255;
const AT = Buffer.from("@");
const PLUS = Buffer.from("+");

const email: Finder = {
  kind: "email",
  needle: AT,
  *find(bytes, text) {
    // Never back over what was looked at: many signs in a row stay linear.
    let floor = text.start;
    for (const at of placesOf(bytes, AT, text)) {
      if (at === PAUSE) {
        yield PAUSE;
        continue;
      }
      let start = at;
      while (start > floor && at - start < MAX_LOCAL && LOCAL[bytes[start - 1]!] === 1) start--;
      floor = at + 1;
      const end = endOf(bytes, at + 1, DOMAIN, { start: at, end: Math.min(text.end, at + 1 + MAX_DOMAIN) });
      const domain = bytes.toString("latin1", at + 1, end).replace(/[.-]+$/, "");
      if (start < at && /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$/.test(domain)) yield { start, end: at + 1 + domain.length };
    }
  },
};

/** Runs of digits, also in groups with a blank or a dash between. */
function* digitRuns(bytes: Buffer, text: TextRange, [min, max]: readonly [number, number]): Iterable<(Found & { digits: string }) | Pause> {
  for (let at = text.start, pauseAt = at + PAUSE_BYTES; at < text.end; at++) {
    if (at >= pauseAt) {
      yield PAUSE;
      pauseAt = at + PAUSE_BYTES;
    }
    if (DIGIT[bytes[at]!] !== 1) continue;
    let end = at;
    let digits = "";
    while (end < text.end && digits.length <= max) {
      if (DIGIT[bytes[end]!] === 1) digits += String.fromCharCode(bytes[end]!);
      else if ((bytes[end] !== 0x20 && bytes[end] !== 0x2d) || end + 1 >= text.end || DIGIT[bytes[end + 1]!] !== 1) break;
      end++;
    }
    if (digits.length >= min && digits.length <= max) yield { start: at, end, digits };
    at = yield* endOfRun(bytes, Math.max(end, at + 1), DIGIT, text);
  }
}

/** The check digit of card numbers (ISO/IEC 7812). */
function hasLuhnDigit(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

const creditCard: Finder = {
  kind: "card",
  *find(bytes, text) {
    for (const run of digitRuns(bytes, text, [13, 19]))
      if (run === PAUSE || (/^[3-6]/.test(run.digits) && hasLuhnDigit(run.digits))) yield run;
  },
};

const phone: Finder = {
  kind: "phone",
  needle: PLUS,
  *find(bytes, text) {
    for (const at of placesOf(bytes, PLUS, text)) {
      if (at === PAUSE) {
        yield PAUSE;
        continue;
      }
      const number = /^\+\d(?:[ ().-]{0,2}\d){7,14}/.exec(bytes.toString("latin1", at, Math.min(text.end, at + 48)))?.[0];
      if (number !== undefined) yield { start: at, end: at + number.length };
    }
  },
};

const iban: Finder = {
  kind: "iban",
  *find(bytes, text) {
    for (let at = text.start, pauseAt = at + PAUSE_BYTES; at < text.end; at++) {
      if (at >= pauseAt) {
        yield PAUSE;
        pauseAt = at + PAUSE_BYTES;
      }
      if (UPPER_DIGIT[bytes[at]!] !== 1) continue;
      const end = yield* endOfRun(bytes, at, UPPER_DIGIT, text);
      const number = bytes.toString("latin1", at, Math.min(end, at + 35));
      if (end - at >= 15 && end - at <= 34 && /^[A-Z]{2}\d{2}/.test(number) && hasIbanRemainder(number)) yield { start: at, end };
      at = end;
    }
  },
};

/** ISO 13616: the number read with its first four characters last leaves 1 when divided by 97. */
function hasIbanRemainder(text: string): boolean {
  const digits = (text.slice(4) + text.slice(0, 4)).replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  let rest = 0;
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % 97;
  return rest === 1;
}

const IP_PART = "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const IP = new RegExp(`^${IP_PART}(?:\\.${IP_PART}){3}$`);
const IP_BYTES = byteSet("0-9.");

const ip: Finder = {
  kind: "ip",
  *find(bytes, text) {
    for (let at = text.start, pauseAt = at + PAUSE_BYTES; at < text.end; at++) {
      if (at >= pauseAt) {
        yield PAUSE;
        pauseAt = at + PAUSE_BYTES;
      }
      if (DIGIT[bytes[at]!] !== 1) continue;
      const end = yield* endOfRun(bytes, at, IP_BYTES, text);
      const address = bytes.toString("latin1", at, Math.min(end, at + 16)).replace(/\.$/, "");
      if (end - at <= 16 && IP.test(address)) yield { start: at, end: at + address.length };
      at = end;
    }
  },
};

/** Things about people; opt-in, because each of them is found in innocent numbers, too. */
export const PII_FINDERS: Readonly<Record<PiiKind, Finder>> = { email, credit_card: creditCard, iban, phone, ip };
