import { ByteWriter } from "../base/byte-writer.ts";
import { type AttributeList, VALUE_BYTES, VALUE_DOUBLE, VALUE_EMPTY, VALUE_STRING } from "../otlp/attribute-list.ts";
import { writeJsonValue } from "../otlp/value-json.ts";

const scratch = new ByteWriter();

/** Any value as text: a string as it is, bytes as base64, everything else as JSON. Source: pcommon.Value.AsString of the Collector. */
export function valueText(attributes: AttributeList, index: number): string {
  const kind = attributes.kinds[index];
  if (kind === VALUE_STRING) return attributes.text(index) ?? "";
  if (kind === VALUE_EMPTY) return "";
  if (kind === VALUE_DOUBLE) return String(attributes.number(index));
  scratch.clear();
  writeJsonValue(scratch, attributes, index);
  const text = scratch.view().toString("utf8");
  return kind === VALUE_BYTES ? text.slice(1, -1) : text;
}
