import type { Mutant } from "./mutant.ts";

/** Areas payload-text, ids, time and size-shape: what is made of the bytes of a request. */
export const READING_MUTANTS: readonly Mutant[] = [
  {
    rule: "NUL in text becomes U+FFFD",
    caseId: "ENC-01",
    file: "collector/otlp/json-string.ts",
    before: "byte === 0 ? replaceNul(out.buffer, out.length) : escapeInto",
    after: "escapeInto",
    test: { file: "test/unit/rows/payload-text.test.ts", name: "ENC-01 NUL becomes U+FFFD, is noted with its path" },
  },
  {
    rule: "invalid UTF-8 is mended",
    caseId: "ENC-04",
    file: "collector/otlp/json-string.ts",
    before: "if (!isUtf8(source.subarray(start, end))) {",
    after: "if (start > end) {",
    test: { file: "test/unit/rows/payload-text.test.ts", name: "ENC-04 invalid UTF-8 in one span becomes U+FFFD" },
  },
  {
    rule: "NaN and infinities stand as text, which JSON can hold",
    caseId: "ENC-09",
    file: "collector/otlp/value-json.ts",
    before: "if (!Number.isFinite(value)) {",
    after: "if (Number.isNaN(value) && value > 0) {",
    test: { file: "test/unit/rows/payload-text.test.ts", name: "ENC-09 NaN and infinities are text under custom keys" },
  },
  {
    rule: "an all-zero trace id refuses its span",
    caseId: "IDS-01",
    file: "collector/rows/id-fault.ts",
    before: "if (isZero(request, view.traceIdOffset, 16))",
    after: "if (view.traceIdSize > 16)",
    test: { file: "test/unit/rows/ids-and-times.test.ts", name: "IDS-01 missing, empty and all-zero ids" },
  },
  {
    rule: "a span that ends before it starts lasts 0",
    caseId: "TIM-01",
    file: "collector/rows/encode-span.ts",
    before: "    copyInt8(out, 0);\n  } else",
    after: "    copyInt8(out, duration);\n  } else",
    test: { file: "test/unit/rows/ids-and-times.test.ts", name: "TIM-01 an end before the start is kept" },
  },
  {
    rule: "a span without a start is stored at its arrival, not in 1970",
    caseId: "TIM-02",
    file: "collector/rows/encode-traces.ts",
    before: "start: (view.startTime.lo | view.startTime.hi) === 0 ? undefined : view.startTime,",
    after: "start: view.startTime,",
    test: { file: "test/unit/rows/ids-and-times.test.ts", name: "TIM-02 without a start the arrival stands in" },
  },
  {
    rule: "values are cut below 64 levels",
    caseId: "SIZ-06",
    file: "collector/base/limits.ts",
    before: "export const MAX_VALUE_DEPTH = 64;",
    after: "export const MAX_VALUE_DEPTH = 1_000_000;",
    test: { file: "test/unit/rows/size-shape.test.ts", name: "SIZ-06 20,000 levels end without a crash" },
  },
];
