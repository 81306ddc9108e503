/** The database did not answer in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
  constructor() {
    super("the database did not answer in time");
  }
}

/** `work`, or a DeadlineError after `millis`; `giveUp` then ends what is left of it, and nobody waits for that. A late failure of `work` is nobody's. */
export async function within<T>(work: Promise<T>, millis: number, giveUp: () => void = () => {}): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new DeadlineError());
    giveUp();
  }, millis);
  work.catch(() => {});
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
