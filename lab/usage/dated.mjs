// Loaded into the program under test: its wall clock begins at LAB_NOW; SIGUSR2 puts it two hours ahead.
const RealDate = Date;
const STEP_MS = 2 * 3_600_000;
let offset = RealDate.parse(process.env.LAB_NOW ?? '') - RealDate.now();
const now = () => RealDate.now() + offset;

globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }
  static now() {
    return now();
  }
};
process.on('SIGUSR2', () => {
  offset += STEP_MS;
});
