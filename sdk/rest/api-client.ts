/** Where the collector's web API is, and the key for it. */
export interface ApiOptions {
  /** Base address, such as http://127.0.0.1:4319. Default: GENSPAN_API_URL, else the collector on this machine. */
  readonly apiUrl?: string;
  /** Sent as X-Service-Key. Default: GENSPAN_API_KEY, else QS_API_KEY. */
  readonly apiKey?: string;
  /** Waits so many milliseconds for one answer (10,000). */
  readonly timeoutMillis?: number;
}

/** The collector did not do what was asked for: `status` is its HTTP status, 0 where there was no answer. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** Seconds after which the collector asks to be tried again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, status: number, options: ErrorOptions & { retryAfterSeconds?: number | undefined } = {}) {
    super(message, options);
    this.status = status;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** One question to the API. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
}

const LOCAL_API = "http://127.0.0.1:4319";
const ANSWER_TIMEOUT_MS = 10_000;
const NOT_FOUND = 404;

/**
 * Asks the collector's API and gives its JSON answer; null where the thing does not exist (404).
 * Rejects with ApiError: a question without an answer is for the caller to deal with, unlike telemetry.
 */
export async function callApi(request: ApiRequest, options: ApiOptions = {}): Promise<unknown> {
  const { apiUrl, apiKey, timeoutMillis } = withDefaults(options);
  const response = await send(addressOf(request, apiUrl), {
    method: request.method,
    headers: {
      accept: "application/json",
      ...(apiKey === undefined ? {} : { "x-service-key": apiKey }),
      ...(request.body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    signal: AbortSignal.timeout(timeoutMillis),
  });
  const text = await response.text().catch(() => "");
  if (response.status === NOT_FOUND) return null;
  if (!response.ok) {
    throw new ApiError(`the collector answered ${response.status}${reasonOf(text)}`, response.status, {
      retryAfterSeconds: secondsOf(response.headers.get("retry-after")),
    });
  }
  return text === "" ? null : jsonOf(text, response.status);
}

function withDefaults({ apiUrl, apiKey, timeoutMillis }: ApiOptions) {
  const { GENSPAN_API_URL, GENSPAN_API_KEY, QS_API_KEY } = process.env;
  return {
    apiUrl: apiUrl ?? (GENSPAN_API_URL || LOCAL_API),
    apiKey: apiKey ?? (GENSPAN_API_KEY || QS_API_KEY || undefined),
    timeoutMillis: timeoutMillis ?? ANSWER_TIMEOUT_MS,
  };
}

/** The path is appended, so that a collector behind a prefix of a proxy is reached. */
function addressOf({ path, query = {} }: ApiRequest, apiUrl: string): URL {
  let url: URL;
  try {
    url = new URL(`${apiUrl.replace(/\/+$/, "")}${path}`);
  } catch {
    throw new ApiError("the address of the collector's API is no URL: set GENSPAN_API_URL to one such as http://127.0.0.1:4319", 0);
  }
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value));
  return url;
}

async function send(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    throw new ApiError(`the collector's API at ${url.origin} does not answer`, 0, { cause });
  }
}

function jsonOf(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiError("the answer is no JSON: is GENSPAN_API_URL the address of a genspan collector?", status, { cause });
  }
}

/** The reason that the collector gave, in its own form of errors. */
function reasonOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    return typeof error?.message === "string" ? `: ${error.message}` : "";
  } catch {
    return "";
  }
}

function secondsOf(header: string | null): number | undefined {
  const seconds = header === null ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
