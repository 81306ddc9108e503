import { type AttributeList, position, VALUE_ARRAY, VALUE_KVLIST, VALUE_STRING } from "../otlp/attribute-list.ts";
import { hasMediaSign, valueWithoutMedia } from "./log-media.ts";
import type { Found } from "./media-json.ts";
import { mayHoldMedia } from "./message-media.ts";

/** Smaller values hold no picture: the smallest GIF has 35 bytes. */
const MIN_VALUE_BYTES = 48;

/**
 * Takes binary content out of the attributes of a span, or of one of its events, that has to do with models: its generation row names it by hash already, and
 * the span shall not keep the bytes beside it. What stays is the attribute with a reference in the place of each blob. Blobs are told as often as they are
 * found. Where the messages of a call hold some (`certain`), every value is opened; elsewhere those with a sign of any.
 */
export function takeSpanMedia(attributes: AttributeList, certain: boolean, found: Found): void {
  for (let i = 0; i < attributes.count; i++) {
    const kind = attributes.kinds[i]!;
    if ((kind !== VALUE_STRING && kind !== VALUE_ARRAY && kind !== VALUE_KVLIST) || attributes.b[i]! < MIN_VALUE_BYTES) continue;
    if (!certain && !hasSign(attributes, i)) continue;
    const without = valueWithoutMedia(attributes, i, found);
    if (without !== undefined) attributes.setText(i, without);
  }
}

/** Texts of the request itself are searched as its messages are: each word once for all of them. */
function hasSign({ arena, kinds, a, b }: AttributeList, index: number): boolean {
  const offset = a[index]!;
  const start = position(offset);
  const end = start + b[index]!;
  const source = arena.source(offset);
  if (kinds[index] === VALUE_STRING && offset >= 0) return mayHoldMedia({ source, start, end, isRequest: true });
  return hasMediaSign(source.subarray(start, end));
}
