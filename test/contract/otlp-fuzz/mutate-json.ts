import { oneOf, type Random } from "./random.ts";

/** JSON texts of scalars, in forms that senders use or might. */
const SCALARS = [
  "null",
  "true",
  "false",
  '""',
  "0",
  "-0",
  "1",
  "1.5",
  "-1",
  "1e2",
  "1e300",
  "1E-5",
  "9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "18446744073709551615",
  "18446744073709551616",
  "4294967295",
  "4294967296",
  "1.763676e18",
  "1763676000123456789.5",
  '"5"',
  '"+5"',
  '"-5.0"',
  '" 5"',
  '".5"',
  '"5."',
  '"0x10"',
  '"1e5"',
  '"NaN"',
  '"Infinity"',
  '"-Infinity"',
  '"nan"',
  '"SPAN_KIND_SERVER"',
  '"server"',
  '"ERROR"',
  '"SEVERITY_NUMBER_WARN2"',
  '"true"',
  '"3q2-7w"',
  '"3q2+7w=="',
  '"3q2+7w="',
  '"A"',
  '"0af7651916cd43dd8448eb211c80319c"',
  '"0AF7651916CD43DD8448EB211C80319C"',
  '"CvdlGRbNQ92ESOshHIAxnA=="',
  '"b7ad6b7169203331"',
  '"t61rcWkgMzE="',
  '"\\u0000"',
  '"\\ud800"',
  '"\\ud83c\\udf89"',
  '"x\\udc00\\n\\/\\t"',
];

/** Structures, most of them values of attributes. */
const STRUCTURES = [
  "{}",
  "[]",
  "[null]",
  "[{}]",
  '{"stringValue":"s"}',
  '{"intValue":"7"}',
  '{"doubleValue":null}',
  '{"boolValue":1}',
  '{"bytesValue":"AAEC"}',
  '{"intValue":1,"stringValue":"later"}',
  '{"arrayValue":{"values":[{"intValue":1},null,{}]}}',
  '{"arrayValue":{}}',
  '{"kvlistValue":{"values":[{"key":"__proto__","value":{"stringValue":"x"}},{"key":"a"}]}}',
  '{"unknown":{"deep":[[[]]]}}',
];

const PLACEHOLDER = "\u0001edge";

type Node = { [key: string]: unknown } | unknown[];

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

/** All objects and arrays below `root`. */
function nodesOf(root: unknown, found: Node[] = []): Node[] {
  if (!isNode(root)) return found;
  found.push(root);
  for (const value of Object.values(root)) nodesOf(value, found);
  return found;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Changes the tree in place; edge values are put in as text afterwards, so that none of their digits is lost. */
function editTree(root: Node, random: Random, edges: string[]): void {
  const node = oneOf(random, nodesOf(root));
  const keys = Object.keys(node);
  if (keys.length === 0) return;
  const key = oneOf(random, keys);
  const holder = node as { [key: string]: unknown };
  const value = holder[key];
  switch (random(8)) {
    case 0:
      if (Array.isArray(node)) node.splice(Number(key), 1);
      else delete holder[key];
      break;
    case 1:
      if (Array.isArray(node)) node.push(structuredClone(value));
      else {
        delete holder[key];
        holder[snakeCase(key)] = value;
      }
      break;
    case 2:
      if (!Array.isArray(node)) {
        delete holder[key];
        holder[key] = value;
      } else node.reverse();
      break;
    case 3:
      if (!Array.isArray(node))
        holder[oneOf(random, ["future", "stringValue", "intValue", "boolValue", "__proto_", "kind", "attributes"])] ??= value;
      break;
    default:
      if (!isNode(value) || key === "value" || random(12) === 0) {
        const structure = isNode(value) ? random(8) !== 0 : random(24) === 0;
        edges.push(oneOf(random, structure ? STRUCTURES : SCALARS));
        holder[key] = `${PLACEHOLDER}${edges.length - 1}.`;
      }
  }
}

const BYTES = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x30, 0x2c, 0x3a, 0x00, 0x0a, 0x20, 0xff, 0xc3, 0x65, 0x2d];

function editBytes(body: Buffer, random: Random): Buffer {
  const at = random(body.length);
  switch (random(4)) {
    case 0:
      return body.subarray(0, at);
    case 1:
      return Buffer.concat([body.subarray(0, at), body.subarray(at + 1 + random(8))]);
    default:
      body[at] = oneOf(random, BYTES);
      return body;
  }
}

/** Writes text as some other encoder would: with white space, or with every character beyond ASCII escaped. */
function rewritten(text: string, random: Random): string {
  switch (random(4)) {
    case 0:
      return JSON.stringify(JSON.parse(text), null, oneOf(random, [1, "\t", "\r\n "]));
    case 1:
      return text.replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
    default:
      return text;
  }
}

/** One to four changes of a request: most of its tree, which leaves it JSON; some of its bytes. */
export function mutateJson(seed: string, random: Random): Buffer {
  const text = rewritten(seed, random);
  if (random(6) === 0) {
    let body: Buffer = Buffer.from(text);
    for (let changes = 1 + random(2); changes > 0 && body.length > 0; changes--) body = editBytes(body, random);
    return body;
  }
  const root = JSON.parse(text) as Node;
  const edges: string[] = [];
  for (let changes = 1 + random(4); changes > 0; changes--) editTree(root, random, edges);
  return Buffer.from(JSON.stringify(root).replace(/"\\u0001edge(\d+)\."/g, (_, index: string) => edges[Number(index)] ?? "null"));
}

/** A request as objects, as the official JSON exporters write it: ids in hexadecimal, bytes in base64. */
export function jsonOfObject(object: unknown): string {
  return JSON.stringify(object, (key, value: unknown) => {
    const bytes =
      isNode(value) && (value as { type?: unknown }).type === "Buffer"
        ? Buffer.from((value as unknown as { data: number[] }).data)
        : undefined;
    if (bytes === undefined) return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
    return bytes.toString(key === "bytesValue" ? "base64" : "hex");
  });
}
