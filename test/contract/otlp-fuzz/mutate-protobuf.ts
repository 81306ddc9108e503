import protobuf from "protobufjs";
import { fixed64Field, lengthField, varint, varintField } from "../../support/wire-builder.ts";
import { oneOf, type Random } from "./random.ts";

const VARINTS = [
  0n,
  1n,
  127n,
  128n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const OVERLONG = ["8000", "ff00", "80808080808080808000", "ffffffffffffffffff7f", "ffffffffffffffffffffff01", "80808080808000"].map((hex) =>
  Buffer.from(hex, "hex"),
);
const TEXTS = ["", "\u0000", "ü", "😀", '"\\', "\u001f", "[", '[{"role":"user","parts":[]}]', "NaN", "-1"].map((text) => Buffer.from(text));
const BROKEN_TEXTS = [Buffer.from([0xff]), Buffer.from("😀").subarray(0, 3), Buffer.from([0xc3, 0x28]), Buffer.from([0xed, 0xa0, 0x80])];

interface WireField {
  readonly tag: number;
  /** The whole field. */
  readonly bytes: Buffer;
  /** Of a length-delimited field. */
  readonly content: Buffer | undefined;
}

/** The fields of a message, or undefined where the bytes are none. */
function fieldsOf(message: Buffer): WireField[] | undefined {
  const reader = protobuf.Reader.create(message);
  const fields: WireField[] = [];
  try {
    while (reader.pos < reader.len) {
      const start = reader.pos;
      const tag = reader.uint32();
      const body = reader.pos;
      reader.skipType(tag & 7, 0, tag >>> 3);
      const sized = (tag & 7) === 2 ? protobuf.Reader.create(message.subarray(body, reader.pos)) : undefined;
      sized?.uint32();
      fields.push({
        tag,
        bytes: message.subarray(start, reader.pos),
        content: sized === undefined ? undefined : message.subarray(body + sized.pos, reader.pos),
      });
    }
  } catch {
    return undefined;
  }
  return fields;
}

const withContent = (tag: number, content: Buffer): Buffer => Buffer.concat([varint(tag), varint(content.length), content]);

/** Fields that no message of OTLP has, and forms that nobody writes. */
function strangeField(random: Random): Buffer {
  const field = oneOf(random, [17, 99, 1000, 2 ** 28 - 1]);
  switch (random(6)) {
    case 0:
      return varintField(field, oneOf(random, VARINTS));
    case 1:
      return fixed64Field(field, oneOf(random, VARINTS));
    case 2:
      return lengthField(field, oneOf(random, TEXTS));
    case 3:
      return Buffer.concat([
        varint(((field << 3) >>> 0) | 3),
        varintField(1, 5),
        lengthField(2, "in a group"),
        varint(((field << 3) >>> 0) | 4),
      ]);
    case 4:
      return Buffer.concat([varint(((field << 3) | 5) >>> 0), Buffer.from([1, 2, 3, 4])]);
    default:
      return underAnotherType(1 + random(16), random);
  }
}

/** A known number under a wire type that is mostly another than its own. */
function underAnotherType(field: number, random: Random): Buffer {
  const wire = oneOf(random, [0, 1, 5] as const);
  const size = { 0: 1, 1: 8, 5: 4 }[wire];
  return Buffer.concat([varint((field << 3) | wire), Buffer.alloc(size, random(128))]);
}

/** Another value for a scalar, or for the content of a text. */
function edgeValue(field: WireField, random: Random): Buffer {
  switch (field.tag & 7) {
    case 0:
      return random(8) === 0
        ? Buffer.concat([varint(field.tag), oneOf(random, OVERLONG)])
        : Buffer.concat([varint(field.tag), varint(oneOf(random, VARINTS))]);
    case 1: {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(
        oneOf(random, [...VARINTS, 0x7ff0000000000000n, 0xfff8000000000000n, 0x8000000000000000n, 0x3ff0000000000000n]),
      );
      return Buffer.concat([varint(field.tag), bytes]);
    }
    case 2:
      return withContent(field.tag, random(6) === 0 ? oneOf(random, BROKEN_TEXTS) : oneOf(random, TEXTS));
    default:
      return Buffer.concat([varint(field.tag), Buffer.alloc(4, oneOf(random, [0, 1, 255]))]);
  }
}

/** One change among the fields of a message, whose own length stays right. */
function editFields(fields: readonly WireField[], random: Random, donor: Buffer): Buffer {
  const parts = fields.map(({ bytes }) => bytes);
  const at = random(Math.max(1, parts.length));
  const chosen = fields[at];
  switch (chosen === undefined ? 6 : random(9)) {
    case 0:
      parts.splice(random(parts.length + 1), 0, parts[at]!);
      break;
    case 1:
      parts.splice(at, 1);
      break;
    case 2: {
      const other = random(parts.length);
      [parts[at], parts[other]] = [parts[other]!, parts[at]!];
      break;
    }
    case 3:
    case 4:
    case 5:
      parts[at] = edgeValue(chosen!, random);
      break;
    case 6:
    case 7:
      parts.splice(random(parts.length + 1), 0, strangeField(random));
      break;
    default: {
      const fromDonor = fieldsOf(donor);
      if (fromDonor !== undefined && fromDonor.length > 0) parts.splice(random(parts.length + 1), 0, oneOf(random, fromDonor).bytes);
    }
  }
  return Buffer.concat(parts);
}

/** Request, resource and scope: a fault there is one of the whole request, which is soon said. */
const OUTER_LEVELS = 3;

/** Changes one message somewhere inside of `message` and sets all lengths around it right. */
function editStructure(message: Buffer, random: Random, { donor, depth }: { readonly donor: Buffer; readonly depth: number }): Buffer {
  const fields = fieldsOf(message);
  if (fields === undefined) return message;
  const inner = fields.filter(({ content }) => content !== undefined && content.length > 1);
  if (inner.length > 0 && random(depth < OUTER_LEVELS ? 40 : 4) !== 0) {
    const chosen = oneOf(random, inner);
    const content = chosen.content!;
    const within = fieldsOf(content);
    if (within !== undefined && within.length > 0) {
      const changed = editStructure(content, random, { donor: innerOf(donor, random), depth: depth + 1 });
      return Buffer.concat(fields.map((field) => (field === chosen ? withContent(field.tag, changed) : field.bytes)));
    }
  }
  return editFields(fields, random, donor);
}

const innerOf = (message: Buffer, random: Random): Buffer => {
  const inner = (fieldsOf(message) ?? []).filter(({ content }) => content !== undefined);
  return inner.length === 0 ? message : oneOf(random, inner).content!;
};

/** One change of bytes, whatever they mean. */
function editBytes(body: Buffer, random: Random, donor: Buffer): Buffer {
  if (body.length === 0) return donor;
  const at = random(body.length);
  switch (random(7)) {
    case 0:
    case 1:
      body[at]! ^= 1 << random(8);
      return body;
    case 2:
      body[at] = oneOf(random, [0, 0x7f, 0x80, 0xff, 0x0b, 0x0c]);
      return body;
    case 3:
      return body.subarray(0, at);
    case 4:
      return Buffer.concat([body.subarray(0, at), body.subarray(at + 1 + random(16))]);
    case 5:
      return Buffer.concat([body.subarray(0, at), body.subarray(Math.max(0, at - random(64)))]);
    default:
      return Buffer.concat([body.subarray(0, at), donor.subarray(random(donor.length))]);
  }
}

/** One to four changes of a request: most keep it protobuf, so that what is compared is more than a refusal. */
export function mutateProtobuf(seed: Buffer, random: Random, donor: Buffer): Buffer {
  let body: Buffer = Buffer.from(seed);
  const structural = random(10) !== 0;
  for (let changes = 1 + random(4); changes > 0; changes--) {
    body = structural ? editStructure(body, random, { donor, depth: 0 }) : editBytes(Buffer.from(body), random, donor);
  }
  return body;
}
