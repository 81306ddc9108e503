/** Why a question cannot be answered or a command not be carried out; api/errors.ts knows the status of each. */
export type RequestErrorCode =
  | "bad_request"
  | "not_found"
  | "conflict"
  | "forbidden"
  | "too_large"
  | "unsupported_type"
  /** The question takes more time than it may; a narrower one will not. */
  | "query_timeout"
  /** Nothing is wrong with the question; the database does not answer, or too many others wait. */
  | "unavailable";

/** What the asker did wrong or must wait for. The message is one sentence for a person and names no SQL, file or key. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: RequestErrorCode;
  /** One line per wrong field, where there are several. */
  readonly faults: readonly string[];

  constructor(code: RequestErrorCode, message: string, faults: readonly string[] = []) {
    super(message);
    this.code = code;
    this.faults = faults;
  }
}
