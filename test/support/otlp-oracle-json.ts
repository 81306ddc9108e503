import { byteTypes, FIELDS, isMessage, type OracleField, SENT } from "./otlp-oracle-types.ts";

/**
 * OTLP/JSON by JSON.parse and protobufjs: the body as the protobuf that it stands for. Rules J1–J21 of the protocol, and each leniency of ours
 * (docs/decisions/0002) as one function here. Throws where a request is to be refused.
 */
export function protobufOfJson(body: Buffer, signal: "traces" | "logs"): Buffer {
  const root = signal === "logs" ? "LogsData" : "TracesData";
  const parsed = parseExactly(body.toString("utf8").replace(/^\uFEFF/, ""));
  if (!isObject(parsed)) throw new Refused("no object");
  refuseOtherSignal(parsed, root);
  const type = byteTypes.lookupType(root);
  return Buffer.from(type.encode(type.fromObject(messageOf(root, parsed, 0))).finish());
}

export class Refused extends Error {}

/** A key stands twice in one object: the last one wins with JSON.parse, and protobuf joins what can be joined. Neither is wrong. */
export class KeyTwice extends Error {}

/** A number with all its digits. */
class ExactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Parsed = null | boolean | string | ExactNumber | Parsed[] | { [key: string]: Parsed };

const isObject = (value: Parsed): value is { [key: string]: Parsed } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);

function parseExactly(text: string): Parsed {
  let members = 0;
  const parsed = JSON.parse(text, function (this: unknown, _key: string, value: unknown, context?: { source?: string }) {
    if (!Array.isArray(this)) members++;
    return typeof value === "number" ? new ExactNumber(context?.source ?? String(value)) : value;
  }) as Parsed;
  // The root itself is visited as a member of nothing.
  if (members - 1 !== colonsOutsideStrings(text)) throw new KeyTwice();
  return parsed;
}

const colonsOutsideStrings = (text: string): number => text.replace(/"(?:[^"\\]|\\.)*"/gs, "").split(":").length - 1;

/** IDS-08: a body of another signal would vanish without a word. */
function refuseOtherSignal(root: { [key: string]: Parsed }, type: string): void {
  const own = FIELDS.get(type)?.[0]?.name ?? "";
  const keys = Object.keys(root).map(camelCase);
  if (!keys.includes(own) && keys.some((key) => ["resourceSpans", "resourceLogs", "resourceMetrics"].includes(key)))
    throw new Refused("another signal");
}

/** J1: names in snake_case are understood as well. */
const camelCase = (name: string): string =>
  /^[a-z][a-z0-9_]*$/.test(name) ? name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) : name;

const MAX_VALUES = 200;

function messageOf(type: string, object: { [key: string]: Parsed }, values: number): Record<string, unknown> {
  const fields = FIELDS.get(type) ?? [];
  const message: Record<string, unknown> = {};
  const seen = new Set<string>();
  const sent: Buffer[] = [];
  for (const [key, value] of Object.entries(object)) {
    const field = fields.find(({ name }) => name === camelCase(key));
    if (field === undefined) continue;
    if (seen.has(field.name)) throw new KeyTwice();
    seen.add(field.name);
    // J9
    if (value === null) continue;
    if (field.oneof) for (const other of fields) delete message[other.name];
    Object.assign(
      message,
      field.repeated ? { [field.name]: listOf(field, value, values) } : memberOf(field, value, { type, values, sent }),
    );
  }
  return sent.length > 0 ? { ...message, [SENT.name]: sent } : message;
}

/** J2 leaves no room for a known field of another shape: that is refused. */
function listOf(field: OracleField, value: Parsed, values: number): unknown[] {
  if (!Array.isArray(value)) throw new Refused(`${field.name} is no array`);
  return value.map((each) => (each === null ? {} : nestedOf(field, each, values)));
}

function nestedOf(field: OracleField, value: Parsed, values: number): Record<string, unknown> {
  if (!isObject(value)) throw new Refused(`${field.name} is no object`);
  if (field.type !== "AnyValue") return messageOf(field.type, value, values);
  return values === MAX_VALUES ? {} : messageOf(field.type, value, values + 1);
}

interface Holder {
  readonly type: string;
  readonly values: number;
  /** Takes what is to be said of members that did not come as they should. */
  readonly sent: Buffer[];
}

/** Half of a surrogate pair is no text: a byte that UTF-8 does not have. */
const bytesOf = (text: string): Buffer =>
  Buffer.concat(text.split(/(\p{Surrogate})/u).map((part) => (part.isWellFormed() ? Buffer.from(part) : Buffer.from([0xff]))));

/** The number of the field, and the beginning of what was sent. */
const markOf = (field: OracleField, text: string): Buffer => Buffer.concat([Buffer.from([field.id]), bytesOf(text).subarray(0, 200)]);

function memberOf(field: OracleField, value: Parsed, { type, values, sent }: Holder): Record<string, unknown> {
  if (isMessage(field.type)) return { [field.name]: nestedOf(field, value, values) };
  if (isObject(value) || Array.isArray(value) || value === null) throw new Refused(`${field.name} is no scalar`);
  const text = value instanceof ExactNumber ? value.text : String(value);
  if (type === "AnyValue") {
    const member = anyMember(field.type, text, typeof value === "string");
    const fits =
      field.name in member && (field.type !== "text" || typeof value === "string") && (field.type !== "bool" || typeof value === "boolean");
    if (!fits) sent.push(markOf(field, ""));
    return "stringValue" in member ? { stringValue: bytesOf(text) } : member;
  }
  const scalar = scalarOf(field, text);
  if (isMarked(field, text, scalar)) sent.push(markOf(field, text));
  return scalar === undefined ? {} : { [field.name]: scalar };
}

/** What has no form in the row at all, a fraction of a nanosecond, and ids in base64. */
function isMarked(field: OracleField, text: string, scalar: unknown): boolean {
  if (field.type === "fixed64") {
    const decimal = decimalOf(text);
    return scalar === undefined || (isDecimal(decimal) && decimal.fraction);
  }
  if (field.type !== "bytes") return scalar === undefined;
  const size = field.name === "traceId" ? 16 : 8;
  return (scalar as Buffer).length === size && !/^[0-9a-f]*$/i.test(text);
}

interface Decimal {
  /** Rounded towards zero. */
  readonly whole: bigint;
  readonly fraction: boolean;
}

const TOO_LARGE = Symbol("a number beyond 64 bits");

/** A decimal in any form that JSON or people write, exactly; undefined for other text. */
function decimalOf(text: string): Decimal | typeof TOO_LARGE | undefined {
  const match = /^([-+]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = `${whole}${fraction}`;
  if (/^0*$/.test(digits)) return { whole: 0n, fraction: false };
  const leading = digits.length - digits.replace(/^0+/, "").length;
  const point = whole.length + Number(exponent);
  if (point - leading > 20) return TOO_LARGE;
  const kept = point <= 0 ? "0" : digits.slice(0, point).padEnd(point, "0");
  const rest = point <= 0 ? digits : digits.slice(point);
  const size = BigInt(kept);
  return size > 2n ** 64n - 1n ? TOO_LARGE : { whole: sign === "-" ? -size : size, fraction: /[1-9]/.test(rest) };
}

const isDecimal = (value: ReturnType<typeof decimalOf>): value is Decimal => typeof value === "object";

const SPECIAL: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

/** J7: numbers, numeric text and the three names; what is no number stays text. */
function doubleOrText(text: string): Record<string, unknown> {
  const special = SPECIAL.get(text);
  if (special !== undefined) return { doubleValue: special };
  return decimalOf(text) === undefined ? { stringValue: text } : { doubleValue: Number(text) };
}

/** J5 J10: integers as number or text; what int64 cannot hold becomes a double. */
function integerOrDouble(text: string): Record<string, unknown> {
  const decimal = decimalOf(text);
  const fits = isDecimal(decimal) && !decimal.fraction && BigInt.asIntN(64, decimal.whole) === decimal.whole;
  return fits ? { intValue: String(decimal.whole) } : doubleOrText(text);
}

/** J8: both alphabets, with or without padding. */
function base64Of(text: string): Buffer | undefined {
  const bare = text.replace(/={1,2}$/, "");
  const padded = bare.length < text.length;
  if (!/^[A-Za-z0-9+/_-]*$/.test(bare) || bare.length % 4 === 1 || (padded && text.length % 4 !== 0)) return undefined;
  return Buffer.from(bare, "base64");
}

/** J11. A value that does not fit its member stays as the text it is. */
function anyMember(type: string, text: string, isText: boolean): Record<string, unknown> {
  switch (type) {
    case "text":
      return { stringValue: text };
    case "bool":
      return /^(true|false|[01])$/.test(text) ? { boolValue: text === "true" || text === "1" } : { stringValue: text };
    case "int64":
      return integerOrDouble(text);
    case "double":
      return doubleOrText(text);
    default: {
      const bytes = isText ? base64Of(text) : undefined;
      return bytes === undefined ? { stringValue: text } : { bytesValue: bytes };
    }
  }
}

function scalarOf(field: OracleField, text: string): unknown {
  switch (field.type) {
    case "text":
      return bytesOf(text);
    case "bytes":
      return idOf(text, field.name === "traceId" ? 16 : 8);
    case "int32":
      return enumOf(field.name, text);
    case "fixed64":
      return timeOf(text);
    default: {
      const decimal = decimalOf(text);
      const fits = isDecimal(decimal) && !decimal.fraction && decimal.whole >= 0n && decimal.whole < 2n ** 32n;
      return fits ? Number(decimal.whole) : undefined;
    }
  }
}

/** J3, IDS-04: hexadecimal of any case, or base64 of the right size; anything else is a wrong id, whatever its length. */
function idOf(text: string, size: number): Buffer {
  if (text.length === size * 2 && /^[0-9a-f]*$/i.test(text)) return Buffer.from(text, "hex");
  const padded = Math.ceil(size / 3) * 4;
  const bare = Math.ceil((size * 8) / 6);
  const asBase64 = text.length === padded || (text.length === bare && !/^[0-9a-f]*$/i.test(text)) ? base64Of(text) : undefined;
  if (asBase64?.length === size) return asBase64;
  const raw = bytesOf(text);
  return raw.length === size ? Buffer.concat([raw, Buffer.alloc(1)]) : raw;
}

/** J6: exact; a time that is none, or not within 64 bits, was not sent. */
function timeOf(text: string): string | undefined {
  const decimal = decimalOf(text);
  return isDecimal(decimal) && decimal.whole >= 0n ? String(decimal.whole) : undefined;
}

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap((level) => [level, `${level}2`, `${level}3`, `${level}4`]);
const ENUMS: Readonly<Record<string, { readonly prefix: string; readonly names: readonly string[] }>> = {
  kind: { prefix: "SPAN_KIND_", names: ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] },
  code: { prefix: "STATUS_CODE_", names: ["UNSET", "OK", "ERROR"] },
  severityNumber: { prefix: "SEVERITY_NUMBER_", names: ["UNSPECIFIED", ...LEVELS] },
};

/** J4: numbers; names in any case too, with their prefix or without. */
function enumOf(name: string, text: string): number {
  const decimal = decimalOf(text);
  if (isDecimal(decimal) && !decimal.fraction && decimal.whole > -(2n ** 31n) && decimal.whole < 2n ** 31n) return Number(decimal.whole);
  const { prefix, names } = ENUMS[name]!;
  const upper = text.toUpperCase();
  const number = names.indexOf(upper.startsWith(prefix) ? upper.slice(prefix.length) : upper);
  if (number < 0) throw new Refused(`${name} is no number`);
  return number;
}
