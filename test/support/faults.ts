// Loaded into a collector with `--import`: what a test cannot do to a process from outside happens on SIGUSR2, as GENSPAN_TEST_FAULT says.
const RealDate = Date;
let shiftMillis = 0;

class ShiftedDate extends RealDate {
  constructor(...args: [] | ConstructorParameters<DateConstructor>) {
    if (args.length === 0) super(ShiftedDate.now());
    else super(...(args as [number]));
  }

  static override now(): number {
    return RealDate.now() + shiftMillis;
  }
}

const faults: Readonly<Record<string, () => void>> = {
  /** Nothing else happens in the process for three seconds. */
  "block-3s": () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000),
  /** The machine's clock is set back. */
  "clock-back-1h": () => {
    globalThis.Date = ShiftedDate as DateConstructor;
    shiftMillis -= 3_600_000;
  },
};

process.on("SIGUSR2", () => {
  const name = process.env["GENSPAN_TEST_FAULT"] ?? "";
  faults[name]?.();
  console.error(`fault ${name} is over`);
});
