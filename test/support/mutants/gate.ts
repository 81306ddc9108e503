import type { Mutant } from "./mutant.ts";

const HTTP = "test/contract/otlp-http.test.ts";

/** Areas http and size-shape, and keys: who and what comes in, and what is answered. */
export const GATE_MUTANTS: readonly Mutant[] = [
  {
    rule: "a body is limited also after inflating",
    caseId: "SIZ-04",
    file: "collector/receivers/inflate.ts",
    before: "const options = { maxOutputLength: maxBytes, chunkSize, info: true };",
    after: "const options = { maxOutputLength: 2 ** 30, chunkSize, info: true };",
    test: { file: HTTP, name: "SIZ-04 H10 a body that inflates beyond the limit is 413" },
  },
  {
    rule: "bytes after the end of what is compressed make a body corrupt",
    caseId: "HTP-05",
    file: "collector/receivers/inflate.ts",
    before: 'if (engine.bytesWritten !== body.length) return { failure: "corrupt" };',
    after: "",
    test: { file: HTTP, name: "HTP-05 deflate with trailing garbage" },
  },
  {
    rule: "what bodies grow to is counted before they grow",
    caseId: "MEM-01",
    file: "collector/receivers/inflate.ts",
    before: 'if (!makeRoom(announced)) return { failure: "overload" };',
    after: "",
    test: { file: "test/unit/receivers/inflate.test.ts", name: "MEM-01 is not begun where there is no room" },
  },
  {
    rule: "a lost database is 503, which clients retry",
    caseId: "HTP-07",
    file: "collector/receivers/outcome-status.ts",
    before: "[503, GRPC.unavailable]",
    after: "[500, GRPC.unavailable]",
    test: { file: HTTP, name: "HTP-07 H5 H16 H17 H18 H25 " },
  },
  {
    rule: "temporary trouble says Retry-After",
    caseId: "HTP-07",
    file: "collector/receivers/otlp-http.ts",
    before: 'if (status.retryAfterSeconds !== undefined) headers.set("Retry-After", String(status.retryAfterSeconds));',
    after: "",
    test: { file: HTTP, name: "HTP-07 H5 H16 H17 H18 H25 " },
  },
  {
    rule: "a request that failed inside is answered 503 and nothing else falls",
    caseId: "PRC-06",
    file: "collector/receivers/otlp-http.ts",
    before: 'resolve(retryable("internal", "the collector failed on this request; send it again"));',
    after: 'resolve(rejected("undecodable", "the collector failed on this request"));',
    test: { file: HTTP, name: "PRC-06 H26 a failure inside is 503" },
  },
  {
    rule: "an answer comes in time even if the work never ends",
    caseId: "contract 5",
    file: "collector/receivers/deadlines.ts",
    before: "if (!entry.isPaused) entry.onOver();",
    after: "",
    test: { file: HTTP, name: "an answer comes within the deadline even if the work never ends" },
  },
  {
    rule: "senders that are slow on purpose are turned away",
    caseId: "HTP-08",
    file: "collector/receivers/http-server.ts",
    before: "      requestTimeout: limits.requestMillis,\n",
    after: "      requestTimeout: 0,\n",
    test: { file: "test/contract/otlp-http/connections.test.ts", name: "HTP-08 " },
  },
  {
    rule: "who has no key is refused before the body is read",
    caseId: "HTP-14",
    file: "collector/receivers/otlp-http.ts",
    before: 'if (permit.kind !== "granted") return permit;',
    after:
      'if (permit.kind !== "granted") return step.consume({ signal, encoding: "json", body: Buffer.from("{}"), projectId: 1, receivedAtMs: 0 });',
    test: { file: "test/contract/otlp-http/sockets.test.ts", name: "HTP-14 with a wrong key gets 401 at once" },
  },
  {
    rule: "a revoked key is refused",
    caseId: "TIM-10",
    file: "collector/base/authenticate.ts",
    before: " || key.revokedAt !== null",
    after: "",
    test: { file: "test/unit/base/authenticate.test.ts", name: "TIM-10 a revoked key is still refused within two seconds" },
  },
  {
    rule: "a key sends no more than its requests a second",
    caseId: "MEM-04",
    file: "collector/base/rate-limit.ts",
    before: "if (bucket.tokens < 1) return false;",
    after: "",
    test: { file: "test/unit/base/authenticate.test.ts", name: "MEM-04 is held to its requests a second" },
  },
];
