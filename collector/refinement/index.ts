import type { Sql } from "postgres";
import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import { createSchedule } from "../base/schedule.ts";
import { within } from "../base/within.ts";
import {
  MARK_ANNOUNCEMENT,
  MARK_CALL,
  MARK_HTTP,
  MARK_RECORD,
  MARK_SCORE,
  MARK_SCORE_OF_RESPONSE,
  MARK_WRAPPER,
  needsRefinement,
  type TraceMark,
  withMark,
} from "../rows/trace-marks.ts";
import { createAttendance } from "./attendance.ts";
import { traceName } from "./look-up.ts";
import { createOpenTraces } from "./open-traces.ts";
import { mayBePlain, type PlainTrace, plainTraces } from "./plain-traces.ts";
import { createScoreSearch } from "./score-search.ts";
import { partsSince, tracesSince } from "./searches.ts";
import { refineTraces, tracesWithTargets } from "./store.ts";
import { createTraceMemory, type KnownTrace } from "./trace-memory.ts";

export interface RefinerOptions {
  /** A pool of the writer's own login. */
  readonly sql: Sql;
  readonly schema: string;
  readonly log: Log;
  /** How long rows of a trace are gathered before it is looked at. */
  readonly delayMillis?: number;
  /** How often traces that other collectors wrote are looked for. */
  readonly sweepMillis?: number;
  /** How much longer than a search of all calls for what evaluations name the pause after it is. */
  readonly restPerSearch?: number;
}

/** Brings generation rows in line with what came apart from their spans: twins, log events, attempts, updates. */
export interface Refiner {
  /** Says what a committed request brought. Never throws, never waits. */
  note(projectId: number, marks: readonly TraceMark[]): void;
  /** Resolves when every trace noted so far has been looked at; for tests and for stopping. */
  settled(): Promise<void>;
  /** Looks for traces of which other collectors wrote a part. Runs by the clock, too. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

/** Traces that are remembered at least, so that a late part finds the rest. Of forty times as many it is known that they had a call. */
const REMEMBERED_TRACES = 25_000;
/** Parts that mean nothing without a call of their trace. */
const WAITING_PARTS = MARK_HTTP | MARK_RECORD;
/** Traces whose calls one sweep asks for, of which there may be none: most requests over HTTP are ordinary ones. */
const MAX_ASKED = 5_000;
/** Traces taken by one turn. */
const PER_TURN = 1_000;
/** Traces read in full by one transaction. */
const PER_LOOK = 200;
/** A trace is given up after so many tries, until something new arrives for it. */
const MAX_FAILURES = 5;
const DELAY_MS = 250;
const SECOND_LOOK_MS = 3_000;
/**
 * Looking costs what writing could use, so it rests twice as long as it worked, and a burst waits. When this much is due, turns follow each other sooner, so that a
 * lasting load is kept up with.
 */
const MUCH_DUE = 20_000;
const REST_PER_WORK = 2;
const MAX_DELAYS = 4;
const LEAST_REST_MS = 10;
/** Traces that may wait for their look. Above it the oldest are let go, and searched for as after a start. */
const MAX_DUE = 50_000;
/** Pause while the database does not answer. */
const OUTAGE_DELAY_MS = 2_000;
/** How long `stop` waits for a turn that is under way; what it leaves undone is found after the next start. */
const STOP_MS = 2_000;
const SWEEP_MS = 15_000;
/** A sweep has a tenth of the time at most. */
const REST_PER_SWEEP = 9;
/** After a start, rows of this long ago are looked at: a collector may have died between their commit and the look. */
const LOOK_BACK_MS = 3_600_000;

/** Beside the marks of a trace: calls of it that came before it was noted have been asked for. */
const ASKED = 1 << 15;

/** A trace that is to be looked at, and how often that failed. */
interface Known extends KnownTrace {
  failures?: number;
}

export function createRefiner(options: RefinerOptions): Refiner {
  const { log, delayMillis = DELAY_MS, sweepMillis = SWEEP_MS } = options;
  const known = createTraceMemory(REMEMBERED_TRACES);
  const due = new Map<string, Known>();
  const waitingTraces = createOpenTraces<Known>();
  const scores = createScoreSearch(options);
  const attendance = createAttendance(options);
  let scoresDue = false;
  let turn: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function remember(projectId: number, mark: TraceMark): Known {
    const before = known.get(projectId, mark.traceId);
    const trace = before === undefined ? { ...onForgotten(projectId, mark), projectId, sign: Number.NaN } : merged(before, mark);
    known.set(trace);
    return trace;
  }

  /** A mark of a trace that is not known, and may have had a call: it is known no longer, or never was. */
  const onForgotten = (projectId: number, mark: TraceMark): TraceMark =>
    known.hadCall(projectId, mark.traceId) || mayHavePartElsewhere(mark) ? withMark({ ...mark, bits: MARK_CALL }, mark) : mark;

  /** Since when nobody but this collector writes, so that it has heard of all calls that began since then; while others are there, sweeps find theirs. */
  let aloneSince = Date.now();
  const mayHavePartElsewhere = ({ bits, fromMillis }: TraceMark): boolean =>
    fromMillis < aloneSince && (bits & (MARK_CALL | MARK_ANNOUNCEMENT)) !== 0;

  function putDue(key: string, trace: Known): void {
    due.set(key, trace);
    if (due.size <= MAX_DUE) return;
    const [oldest] = due.keys();
    if (oldest !== undefined) due.delete(oldest);
    first = true;
    sweptUntil = Date.now() - LOOK_BACK_MS;
  }

  function restAfter(workMillis: number): number {
    const rest = workMillis * REST_PER_WORK;
    return due.size < MUCH_DUE
      ? Math.min(Math.max(delayMillis, rest), delayMillis * MAX_DELAYS)
      : Math.min(delayMillis, Math.max(LEAST_REST_MS, rest));
  }

  function schedule(afterMillis = delayMillis): void {
    if (stopped || turn !== undefined || timer !== undefined || due.size === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      const began = performance.now();
      turn = work().then((reached) => {
        turn = undefined;
        schedule(reached ? restAfter(performance.now() - began) : OUTAGE_DELAY_MS);
      });
    }, afterMillis);
  }

  /** Looks at the traces that have waited longest. False when the database could not be reached: they stay due then. */
  async function work(): Promise<boolean> {
    const taken: [string, Known][] = [];
    for (const entry of due) if (taken.push(entry) === PER_TURN) break;
    for (const [key] of taken) due.delete(key);
    try {
      await refine(taken);
      if (scoresDue) await joinScores();
      return true;
    } catch (error) {
      if (!isAnswer(error)) {
        for (const [key, trace] of taken) putDue(key, trace);
        log.warn({ code: errorCode(error) }, "rows of traces could not be brought together; it is tried again");
        return false;
      }
      if (taken.length > 1) await oneByOne(taken);
      else for (const [key, trace] of taken) retryLater(key, trace, error);
      return true;
    }
  }

  async function refine(taken: readonly (readonly [string, Known])[]): Promise<void> {
    const traces = taken.map(([, trace]) => trace);
    const plain = await plainTraces(
      options,
      traces.filter(({ bits }) => mayBePlain(bits & ~ASKED)),
    );
    const names = new Set(plain.map(traceName));
    const others = traces.filter((trace) => !names.has(traceName(trace)));
    const open: string[] = [];
    const inLine: PlainTrace[] = [...plain];
    for (let from = 0; from < others.length && !stopped; from += PER_LOOK) {
      const found = await refineTraces(options, others.slice(from, from + PER_LOOK));
      open.push(...found.open);
      inLine.push(...found.unchanged);
    }
    lookAgainSoon(waitingTraces.note(new Map(taken), open));
    for (const { projectId, traceId, sign = Number.NaN } of inLine) {
      const trace = known.get(projectId, traceId);
      if (trace !== undefined) known.set({ ...trace, sign });
    }
  }

  /** What a trace waits for mostly comes with the next request of its sender. */
  function lookAgainSoon(traces: readonly (readonly [name: string, trace: Known])[]): void {
    if (traces.length === 0) return;
    const again = setTimeout(() => {
      for (const [key, trace] of traces) if (!due.has(key)) putDue(key, trace);
      schedule();
    }, SECOND_LOOK_MS);
    again.unref();
  }

  /** Brings evaluations to calls of other traces, which are looked at then: the call may be another's twin by now. */
  async function joinScores(): Promise<void> {
    scoresDue = false;
    for (const { projectId, traceId, startMillis } of await scores.join()) {
      const mark = { traceId, bits: MARK_CALL | MARK_SCORE, fromMillis: startMillis, toMillis: startMillis };
      putDue(traceName({ projectId, traceId }), remember(projectId, mark));
    }
  }

  /** One trace that cannot be refined must not keep the others waiting. */
  async function oneByOne(taken: readonly (readonly [string, Known])[]): Promise<void> {
    for (const [key, trace] of taken) {
      if (stopped) return;
      try {
        await refine([[key, trace]]);
      } catch (error) {
        retryLater(key, trace, error);
      }
    }
  }

  function retryLater(key: string, trace: Known, error: unknown): void {
    trace.failures = (trace.failures ?? 0) + 1;
    log.warn({ code: errorCode(error), failures: trace.failures }, "the rows of a trace could not be brought together");
    if (trace.failures < MAX_FAILURES && !stopped) putDue(key, trace);
  }

  /** Traces in which a call that another collector writes changes something. */
  const waiting = (): Known[] =>
    known.where((bits) => (bits & MARK_WRAPPER) !== 0 || ((bits & MARK_CALL) === 0 && bits !== MARK_ANNOUNCEMENT));

  let sweptUntil = Date.now() - LOOK_BACK_MS;
  let first = true;

  /**
   * The first sweep looks at everything lately received: who wrote it may have died before it looked, and what it waited for comes to us. Later ones look for what
   * other collectors wrote, where there are any, and leave out traces whose calls are the same as at our last look. Their windows overlap by two pauses: an
   * announcement may come that much later than the first rows.
   */
  async function sweepOnce(): Promise<void> {
    await attendance.announce();
    const [since, until, isFirst] = [sweptUntil, Date.now() - 2 * sweepMillis, first];
    const othersUntil = await attendance.othersUntil();
    if (othersUntil <= Date.now()) aloneSince = Math.max(aloneSince, othersUntil);
    if (isFirst || othersUntil > since)
      for await (const traces of tracesSince(options, since, isFirst ? undefined : waiting())) takeUp(traces, isFirst);
    if (isFirst) takeUp(await partsSince(options, since), isFirst);
    for (const [key, trace] of waitingTraces.toLookAt()) putDue(key, trace);
    await findEarlierTargets();
    await joinScores();
    if (sweptUntil === since) [first, sweptUntil] = [false, until];
    schedule();
  }

  /** With what is known of each trace: an update may have come days after its call, and both are in the window of the look. */
  function takeUp(traces: readonly KnownTrace[], isFirst: boolean): void {
    for (const found of traces) {
      const before = known.get(found.projectId, found.traceId);
      if (before?.sign === found.sign) continue;
      const trace = isFirst ? remember(found.projectId, found) : before === undefined ? found : merged(before, found);
      if (needsRefinement(trace.bits) || (isFirst && (trace.bits & MARK_CALL) !== 0)) putDue(traceName(trace), trace);
    }
  }

  /** A late part of a call or an image comes here while the rest was written long ago by another collector: each such trace is asked for once. */
  async function findEarlierTargets(): Promise<void> {
    const unasked = waiting().filter(({ bits }) => (bits & ASKED) === 0 && (bits & WAITING_PARTS) !== 0);
    const asking = unasked.slice(0, MAX_ASKED);
    for (const trace of asking) known.set({ ...trace, bits: trace.bits | ASKED });
    const found = await tracesWithTargets(
      options,
      asking.map((trace) => ({ ...trace, hasRecords: (trace.bits & MARK_RECORD) !== 0 })),
    );
    for (const trace of asking) if (found.has(traceName(trace))) putDue(traceName(trace), trace);
  }

  let sweeping: Promise<void> = Promise.resolve();
  /** One after the other: two would take up the same traces. */
  function sweep(): Promise<void> {
    sweeping = sweeping.catch(() => {}).then(sweepOnce);
    return sweeping;
  }

  const sweeps = createSchedule({
    run: sweep,
    everyMillis: sweepMillis,
    // Where much comes in a sweep may read for seconds.
    restPerRun: REST_PER_SWEEP,
    onError: (error) => log.warn({ code: errorCode(error) }, "lately received rows could not be looked through; it is tried again"),
  });
  // Not by the sweeps, which may be far apart. Where this fails, so does the next sweep, which tells it.
  const announcements = createSchedule({ run: attendance.announce, everyMillis: sweepMillis, onError() {} });
  sweeps.start();
  announcements.start();

  return {
    note(projectId, marks) {
      for (const mark of marks) {
        const trace = remember(projectId, mark);
        if ((mark.bits & MARK_SCORE_OF_RESPONSE) !== 0) scoresDue = true;
        if (needsRefinement(trace.bits)) putDue(traceName(trace), trace);
      }
      schedule();
    },
    sweep,
    async settled() {
      while (due.size > 0 || turn !== undefined || timer !== undefined) {
        if (turn === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
        else await turn;
      }
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      timer = undefined;
      const turnEnded = within(turn ?? Promise.resolve(), STOP_MS).catch(() => {});
      await Promise.all([sweeps.stop(), announcements.stop(), turnEnded]);
    },
  };
}

/** A mark on top of what is known; something new is a reason to ask again. */
function merged(before: KnownTrace, mark: TraceMark): KnownTrace {
  const both = withMark(before, mark);
  const isNew = (before.bits & mark.bits) !== mark.bits;
  return { ...both, projectId: before.projectId, bits: isNew ? both.bits & ~ASKED : both.bits, sign: Number.NaN };
}

/** Classes of SQLSTATE that speak of the server's state and not of the statement: connection, resources, shutdown. */
const OUTAGE = /^(08|53|57)/;

/** Whether the database has answered that these rows cannot be worked on, rather than not at all. */
const isAnswer = (error: unknown): boolean => /^[0-9A-Z]{5}$/.test(errorCode(error)) && !OUTAGE.test(errorCode(error));
