import { type AttributeList, position, VALUE_ARRAY, VALUE_KVLIST, VALUE_STRING } from "../otlp/attribute-list.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { type Blob, blobFromDataUrl } from "./blobs.ts";
import { attributeWithoutMedia, MEDIA_SIGNS } from "./log-media.ts";

/** Smaller values are left as they are: a picture is not among them, and looking costs more than their bytes. */
const MIN_VALUE_BYTES = 1024;

/**
 * Takes binary content out of the attributes of a span that has to do with models: its generation row names it by hash already, and the span shall not keep the
 * bytes beside it. What stays is the attribute with a reference in the place of each blob. Blobs come as often as they are found. Cheap for spans
 * without large values; those of calls without media need no look.
 */
export function takeSpanMedia(view: SpanView): readonly Blob[] {
  const { attributes } = view;
  const blobs: Blob[] = [];
  const found = (blob: Blob | undefined): void => {
    if (blob !== undefined) blobs.push(blob);
  };
  for (let i = 0; i < attributes.count; i++) {
    const kind = attributes.kinds[i];
    if ((kind !== VALUE_STRING && kind !== VALUE_ARRAY && kind !== VALUE_KVLIST) || attributes.b[i]! < MIN_VALUE_BYTES) continue;
    if (!mayHoldMedia(attributes, i)) continue;
    const text = kind === VALUE_STRING ? attributes.text(i) : undefined;
    const without = text?.startsWith("data:") === true ? urlWithoutMedia(text, found) : attributeWithoutMedia(attributes, i, found);
    if (without !== undefined) attributes.setText(i, without);
  }
  return blobs;
}

function mayHoldMedia({ arena, a, b }: AttributeList, index: number): boolean {
  const at = position(a[index]!);
  const bytes = arena.source(a[index]!).subarray(at, at + b[index]!);
  return MEDIA_SIGNS.some((sign) => bytes.includes(sign));
}

/** Flattened dialects have a picture's URL as an attribute of its own. */
function urlWithoutMedia(url: string, found: (blob: Blob | undefined) => void): string | undefined {
  const named = blobFromDataUrl(url);
  if (named !== undefined) found(named.blob);
  return named?.uri;
}
