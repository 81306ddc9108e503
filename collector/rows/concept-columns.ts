import type { GenerationDraft, Scalar } from "../dialects/generation-draft.ts";
import { copyFloat8, copyInt8, copyJson, copyNull } from "./copy-row.ts";
import {
  type ColumnSource,
  cutIdentifier,
  float8Column,
  identifierColumn,
  int8Column,
  jsonColumn,
  optionalString,
  readNumber,
  sizeColumn,
  textColumn,
  toJsonb,
} from "./values.ts";

/** Where the columns of one model call come from: attributes first, then what a dialect built. */
export interface CallSource extends ColumnSource {
  readonly draft: GenerationDraft;
}

const builtScalar = ({ draft }: CallSource, concept: number): Scalar | undefined => draft.built?.scalars?.get(concept);

/** A concept as a finite number, wherever it stands. */
export function conceptNumber(source: CallSource, concept: number): number | undefined {
  const index = source.draft.attribute[concept]!;
  if (index >= 0) return readNumber(source.attributes, index);
  const value = builtScalar(source, concept);
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

export function conceptText(source: CallSource, concept: number, path: string): void {
  const index = source.draft.attribute[concept]!;
  if (index >= 0) textColumn(source, index, path);
  else writeText(source, builtScalar(source, concept));
}

/** As `conceptText`, for columns that an index covers. */
export function conceptIdentifier(source: CallSource, concept: number, path: string): void {
  const index = source.draft.attribute[concept]!;
  if (index >= 0) {
    identifierColumn(source, index, path);
    return;
  }
  const at = source.out.length;
  writeText(source, builtScalar(source, concept));
  cutIdentifier(source, at, path);
}

function writeText({ out }: CallSource, value: Scalar | undefined): void {
  optionalString(out, value === undefined ? undefined : String(value));
}

export function conceptFloat8(source: CallSource, concept: number): void {
  const index = source.draft.attribute[concept]!;
  if (index >= 0) {
    float8Column(source, index);
    return;
  }
  const value = conceptNumber(source, concept);
  if (value === undefined) copyNull(source.out);
  else copyFloat8(source.out, value);
}

/** A whole number; with `sizes`, a negative one means "not set". */
export function conceptInt8(source: CallSource, concept: number, sizes = false): void {
  const index = source.draft.attribute[concept]!;
  if (index >= 0) {
    if (sizes) sizeColumn(source, index);
    else int8Column(source, index);
    return;
  }
  const value = conceptNumber(source, concept);
  if (value === undefined || !Number.isSafeInteger(value) || (sizes && value < 0)) copyNull(source.out);
  else copyInt8(source.out, value);
}

/** A structure as jsonb; a built one is JSON text or a scalar. */
export function conceptJson(source: CallSource, concept: number, path: string): void {
  const index = source.draft.attribute[concept]!;
  if (index >= 0) {
    jsonColumn(source, index, path);
    return;
  }
  const value = builtScalar(source, concept);
  if (value === undefined) copyNull(source.out);
  else copyJson(source.out, jsonText(value));
}

function jsonText(value: Scalar): string {
  const text = typeof value === "string" && /^\s*[[{]/.test(value) && isJson(value) ? value : JSON.stringify(value);
  return toJsonb(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
