import type { ByteWriter } from "../base/byte-writer.ts";
import { writeVarint32 } from "./proto-writer.ts";
import { WIRE_LENGTH, type WireReader } from "./wire.ts";

/**
 * The field in which the JSON transcoder says, inside a message, what of it could not be taken as it was sent: first a byte with the number of the field
 * that it stands for, then the text that was sent. Numbers from 19,000 to 19,999 are protobuf's own (protobuf.dev, "Assigning Field Numbers"), so that
 * no message of OTLP will have it. Of an id it says that it came as base64, of a value's member that the value did not fit it.
 */
export const SENT_FIELD = 19_000;
export const SENT_TAG = (SENT_FIELD << 3) | WIRE_LENGTH;

/**
 * The field of an AnyValue with which redaction fills the room of content that it took out: one that OTLP does not have, so that other decoders skip it.
 */
const EMPTIED_FIELD = 15;
export const EMPTIED_TAG = (EMPTIED_FIELD << 3) | WIRE_LENGTH;

/** Room to recognise what must not be kept; notes are shorter still. */
const MAX_SENT_BYTES = 200;

/** Appends the mark for the field with this tag; there is room. Only the beginning of a long text is kept. */
export function writeSentMark(out: ByteWriter, tag: number, text: Uint8Array): void {
  const size = Math.min(text.length, MAX_SENT_BYTES);
  writeVarint32(out, SENT_TAG);
  writeVarint32(out, size + 1);
  out.buffer[out.length++] = tag >>> 3;
  out.bytes(text, 0, size);
}

/** Number of AnyValue's last member. */
const LAST_MEMBER = 7;

/** Reads a mark in an AnyValue, whose tag was just read: the bit of the member that the value did not fit. */
export function readMisfit(reader: WireReader): number {
  const size = reader.length();
  const member = size === 0 ? 0 : reader.bytes[reader.pos];
  reader.pos += size;
  return member > 0 && member <= LAST_MEMBER ? 1 << member : 0;
}
