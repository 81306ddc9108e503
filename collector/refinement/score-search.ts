import type { Row, Sql } from "postgres";
import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import { type ScoreKey, scoreKeyText } from "./facts.ts";
import { moveScore } from "./score-store.ts";

export interface ScoreSearchOptions {
  readonly sql: Sql;
  readonly schema: string;
  readonly log: Log;
  /** How much longer than a search of all calls the pause after it is. */
  readonly restPerSearch?: number;
}

/** A call that an evaluation was brought to. */
export interface JudgedCall {
  readonly projectId: number;
  readonly traceId: string;
  readonly startMillis: number;
}

/** Brings evaluations to the calls whose responses they name, in whatever trace those were, and whichever of the two came first. */
export interface ScoreSearch {
  /** Looks once; gives the calls that were found. Throws when the database does not answer. */
  join(): Promise<readonly JudgedCall[]>;
}

/** An evaluation comes within a day of its call; clocks may differ. */
const AFTER_CALL_MS = 86_400_000;
const BEFORE_CALL_MS = 3_600_000;
/** An evaluation waits this long for its call. */
const WAITING = "1 hour";
const MAX_SCORES = 1_000;
/** No index has the ids of responses: every call would pay for it. A search reads what the times allow, and takes no more than its share of the time. */
const SEARCH_TIMEOUT = "10s";
const REST_PER_SEARCH = 10;
/** Between a row's time of arrival and its commit, and between clocks of collectors. */
const LATE_COMMIT_MS = 60_000;

interface Unfound extends ScoreKey {
  readonly projectId: number;
  readonly responseId: string;
  /** When it was made, else when it came. */
  readonly atMillis: number;
}

interface Answer extends JudgedCall {
  readonly spanId: string;
  readonly responseId: string;
}

export function createScoreSearch({ sql, schema, log, restPerSearch = REST_PER_SEARCH }: ScoreSearchOptions): ScoreSearch {
  /** Evaluations for which all calls so far were searched: for those only new calls matter. */
  let searched = new Set<string>();
  let searchedUntil = 0;
  let restUntil = 0;

  return {
    async join() {
      const began = Date.now();
      const unfound = await readUnfound(sql, schema);
      const isNew = (score: Unfound): boolean => !searched.has(scoreKeyText(score));
      const [fresh, waiting] = [unfound.filter(isNew), unfound.filter((score) => !isNew(score))];
      const mayLookBack = began >= restUntil;
      const found = [
        ...(await bring(waiting, new Date(searchedUntil - LATE_COMMIT_MS))),
        ...(mayLookBack ? await bring(fresh, new Date(0)) : []),
      ];
      if (mayLookBack && fresh.length > 0) restUntil = Date.now() + (Date.now() - began) * restPerSearch;
      searched = new Set((mayLookBack ? unfound : waiting).map(scoreKeyText));
      searchedUntil = began;
      return found;
    },
  };

  async function bring(scores: readonly Unfound[], receivedSince: Date): Promise<JudgedCall[]> {
    const found: JudgedCall[] = [];
    for (const [projectId, ofProject] of Map.groupBy(scores, (score) => score.projectId)) {
      const answers = Map.groupBy(await searchCalls(projectId, ofProject, receivedSince), ({ responseId }) => responseId);
      for (const score of ofProject) {
        const call = nearest(answers.get(score.responseId) ?? [], score);
        if (call === undefined) continue;
        await sql.begin((tx) => moveScore(tx, schema, { projectId, from: score, to: call }));
        found.push(call);
      }
    }
    return found;
  }

  async function searchCalls(projectId: number, scores: readonly Unfound[], receivedSince: Date): Promise<Answer[]> {
    const times = scores.map(({ atMillis }) => atMillis);
    const [first, last] = [new Date(Math.min(...times) - AFTER_CALL_MS), new Date(Math.max(...times) + BEFORE_CALL_MS)];
    try {
      const rows = await sql.begin("READ ONLY", async (tx) => {
        await tx`SELECT set_config('statement_timeout', ${SEARCH_TIMEOUT}, true)`;
        return tx`
          SELECT trace_id, span_id, response_id, extract(epoch FROM start_time) * 1000 AS start_ms FROM ${tx(schema)}.generation_logs
          WHERE project_id = ${projectId} AND response_id = ANY (${[...new Set(scores.map(({ responseId }) => responseId))]}::text[])
            AND start_time >= ${first} AND start_time <= ${last} AND received_at >= ${receivedSince}`;
      });
      return rows.map((row) => toAnswer(projectId, row));
    } catch (error) {
      if (errorCode(error) !== QUERY_CANCELED) throw error;
      log.warn(
        { scores: scores.length },
        "calls could not be searched for the responses that evaluations name: there are too many of them",
      );
      return [];
    }
  }
}

const QUERY_CANCELED = "57014";

async function readUnfound(sql: Sql, schema: string): Promise<Unfound[]> {
  const rows = await sql`
    SELECT project_id, trace_id, span_id, "time"::text AS time_text, id, response_id,
      extract(epoch FROM CASE WHEN "time" > 'epoch' THEN "time" ELSE received_at END) * 1000 AS at_ms
    FROM ${sql(schema)}.generation_scores
    WHERE response_id IS NOT NULL AND told_span_id IS NULL AND received_at >= now() - ${WAITING}::interval
    ORDER BY received_at DESC LIMIT ${MAX_SCORES}`;
  return rows.map((row) => ({
    projectId: Number(row["project_id"]),
    traceId: String(row["trace_id"]),
    spanId: String(row["span_id"]),
    time: String(row["time_text"]),
    id: String(row["id"]),
    responseId: String(row["response_id"]),
    atMillis: Number(row["at_ms"]),
  }));
}

const toAnswer = (projectId: number, row: Row): Answer => ({
  projectId,
  traceId: String(row["trace_id"]),
  spanId: String(row["span_id"]),
  responseId: String(row["response_id"]),
  startMillis: Number(row["start_ms"]),
});

/** Of calls with one id, as providers that count from one give them, the latest that began before the evaluation was made. */
function nearest(calls: readonly Answer[], { atMillis }: Unfound): Answer | undefined {
  const near = calls.filter(({ startMillis }) => startMillis >= atMillis - AFTER_CALL_MS && startMillis <= atMillis + BEFORE_CALL_MS);
  const distance = ({ startMillis }: Answer): number =>
    startMillis <= atMillis ? atMillis - startMillis : AFTER_CALL_MS + startMillis - atMillis;
  return near.toSorted((a, b) => distance(a) - distance(b) || (a.spanId < b.spanId ? -1 : 1))[0];
}
