import type { AttributeList } from "../otlp/attribute-list.ts";
import { keyTable, NOT_INTERNED } from "../otlp/key-table.ts";

/** Finds the attribute of this name, or -1: by its number in the key table, so that no string is made of any key. */
export function attributeFinder(name: string): (attributes: AttributeList) => number {
  const bytes = Buffer.from(name, "utf8");
  const key = keyTable.intern(bytes, 0, bytes.length);
  return key === NOT_INTERNED ? (attributes) => attributes.findName(name) : (attributes) => attributes.find(key);
}
