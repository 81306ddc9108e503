/** Rows that a window holds: `full` says that counting stopped at the limit. */
export interface WindowCount {
  readonly rows: number;
  readonly full: boolean;
}

const FIRST_SECONDS = 10;
const GROWTH = 6;
const MAX_SECONDS = 86_400;
const MAX_HALVINGS = 12;

/**
 * The shortest look back, in seconds, that holds `wanted` rows: grown from ten seconds to a day, then halved while it holds more than a
 * probe may count. Spans have no index in the order of arrival, so the last twenty must not be found by sorting a day.
 */
export async function arrivalWindowSeconds(wanted: number, probe: (seconds: number) => Promise<WindowCount>): Promise<number> {
  let tooShort = 0;
  let seconds = FIRST_SECONDS;
  let count = await probe(seconds);
  while (count.rows < wanted && seconds < MAX_SECONDS) {
    tooShort = seconds;
    seconds = Math.min(seconds * GROWTH, MAX_SECONDS);
    count = await probe(seconds);
  }
  let enough = seconds;
  for (let halvings = 0; count.full && halvings < MAX_HALVINGS; halvings++) {
    const middle = (tooShort + enough) / 2;
    const half = await probe(middle);
    if (half.rows < wanted) tooShort = middle;
    else {
      enough = middle;
      count = half;
    }
  }
  return enough;
}
