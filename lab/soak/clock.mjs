// Loaded into the program under test: SIGUSR2 steps its wall clock, an hour ahead, an hour back, ….
const STEPS = [3_600_000, -3_600_000, 0];
let step = -1;
let offset = 0;
const RealDate = Date;
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
  step = (step + 1) % STEPS.length;
  offset = STEPS[step];
});
