/**
 * Every time constant of the pool, in one place.
 *
 * A cool-down of seconds is right for answers of 20 s and ruinous for answers of 100 ms, so each
 * constant is a multiple of what the provider was seen to take, between a floor and a ceiling.
 */

/** What is known about a provider's speed; null until observed. Milliseconds. */
export interface Pace {
  /** Moving average of served calls. */
  readonly serviceMs: number | null;
  /** Moving average until the first content byte. */
  readonly firstByteMs: number | null;
  /** Largest recent time until the first content byte; fades. */
  readonly slowestFirstByteMs: number | null;
  /** Largest recent time until the upstream said that it took a call; fades. */
  readonly signMs: number | null;
  /** How fast the upstream says anything at all: a refusal, headers, a byte. */
  readonly answerMs: number;
  /** Largest recent time until a refusal; fades. */
  readonly refusalMs: number | null;
}

/** Nothing is known but how long a first answer may take. */
export function expectedPace(answerMs: number): Pace {
  return {
    serviceMs: null,
    firstByteMs: null,
    slowestFirstByteMs: null,
    signMs: null,
    answerMs,
    refusalMs: null,
  };
}

/** A first answer over the internet, with DNS and TLS before it. */
export const REMOTE_ANSWER_MS = 300;

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function average(old: number | null, seen: number, weight: number): number {
  return old === null ? seen : old + weight * (seen - old);
}

export function paceAfterService(pace: Pace, serviceMs: number): Pace {
  return { ...pace, serviceMs: average(pace.serviceMs, serviceMs, 0.1) };
}

export function paceAfterFirstByte(pace: Pace, firstByteMs: number): Pace {
  const slowest = pace.slowestFirstByteMs ?? 0;
  return {
    ...pace,
    firstByteMs: average(pace.firstByteMs, firstByteMs, 0.1),
    slowestFirstByteMs: Math.max(firstByteMs, slowest + 0.02 * (firstByteMs - slowest)),
  };
}

export function paceAfterSign(pace: Pace, signMs: number): Pace {
  const slowest = pace.signMs ?? 0;
  return { ...pace, signMs: Math.max(signMs, slowest + 0.02 * (signMs - slowest)) };
}

/** True where the upstream says when it takes a call, and would have said so by now. */
export function isSignOverdue({ signMs }: Pace, ms: number): boolean {
  return signMs !== null && ms > signMs;
}

/** Quick answers count at once, slow ones little by little: the question is what is possible. */
export function paceAfterAnswer(pace: Pace, answerMs: number): Pace {
  const next = answerMs < pace.answerMs ? answerMs : average(pace.answerMs, answerMs, 0.1);
  return { ...pace, answerMs: next };
}

/** Silence means nothing before refusals have had their time. */
export function paceAfterRefusal(pace: Pace, refusalMs: number): Pace {
  const slowest = pace.refusalMs ?? 0;
  return { ...pace, refusalMs: Math.max(refusalMs, slowest + 0.1 * (refusalMs - slowest)) };
}

/** Before the first served call: a refusal takes a small part of a service. */
function serviceOf(pace: Pace): number {
  return pace.serviceMs ?? clamp(20 * pace.answerMs, 100, 1_000);
}

export interface Timing {
  /** How long a request is on its way before it is there. */
  readonly wayMs: number;
  /** How long a key's very first call goes alone, unless the upstream answers earlier. */
  readonly firstSignMs: number;
  /** How long silence after a send counts as "not refused" while a limit is being found. */
  readonly rampMs: number;
  /** Refusals of one burst arrive within this: who was refused waits until all of them are known. */
  readonly burstMs: number;
  /** Until a proven limit is tried one higher, first time; doubles per failed try. */
  readonly limitProbeMs: number;
  readonly limitProbeMaxMs: number;
  /** Cool-down after a rate limit without Retry-After, first step; doubles. */
  readonly coolMs: number;
  readonly coolMaxMs: number;
  /** A key's breaker stays open this long at first; doubles. */
  readonly openMs: number;
  readonly openMaxMs: number;
  /** Faults further back do not count against a key. */
  readonly faultWindowMs: number;
  /** Outcomes further back say nothing about the provider as a whole. */
  readonly outageWindowMs: number;
  /** First pause before the provider is probed. */
  readonly outageMs: number;
  readonly outageMaxMs: number;
  /** Back-off before a retry, full jitter, first step; doubles. */
  readonly retryMs: number;
  /** A slowness or a stain fades to the median with this time constant. */
  readonly fadeMs: number;
  /** First token-free check of a disabled key; doubles. */
  readonly checkMs: number;
  readonly checkMaxMs: number;
  /** A key that said nothing for so long, while others answer, is silent. */
  readonly silentMs: number;
  /** How often an attempt is looked at for a better place. */
  readonly rescueMs: number;
  /** No attempt starts with less time left than this. */
  readonly leastMs: number;
}

/** Times the usual wait for a first byte: then it is silence. */
const SILENCE = 6;

/** What is silence from a key whose own first bytes take so long. */
export function silenceOf(firstByteMs: number, timing: Timing): number {
  return Math.max(timing.silentMs, SILENCE * firstByteMs);
}

/** The time constants for a provider of this pace. */
export function timingFor(pace: Pace): Timing {
  const service = serviceOf(pace);
  const firstByte = pace.slowestFirstByteMs ?? service;
  const refusal = 1.5 * (pace.refusalMs ?? 0);
  // Whoever tries waits for the refusal instead of a slot.
  const tryMs = 4 * (pace.refusalMs ?? 0);
  return {
    // Where refusals take longer than answers, they do not tell.
    wayMs: Math.min(pace.answerMs, service / 4),
    firstSignMs: clamp(Math.max(3 * pace.answerMs, refusal), 20, 1_000),
    rampMs: clamp(Math.max(Math.min(250, 2 * pace.answerMs), refusal), 10, 1_000),
    burstMs: clamp((pace.refusalMs ?? 0) / 20, 0, 50),
    limitProbeMs: clamp(Math.max(service, tryMs), 50, 30_000),
    limitProbeMaxMs: clamp(2 * Math.max(service, tryMs), 100, 60_000),
    coolMs: clamp(service / 8, 50, 1_000),
    coolMaxMs: 30_000,
    openMs: clamp(service / 4, 50, 2_000),
    openMaxMs: clamp(4 * service, 1_000, 30_000),
    faultWindowMs: clamp(20 * service, 2_000, 30_000),
    outageWindowMs: clamp(5 * service, 500, 5_000),
    outageMs: clamp(service / 8, 25, 1_000),
    outageMaxMs: 10_000,
    retryMs: clamp(service / 16, 20, 500),
    fadeMs: clamp(100 * service, 5_000, 60_000),
    checkMs: clamp(20 * service, 1_000, 60_000),
    checkMaxMs: 30 * 60_000,
    silentMs: clamp(SILENCE * firstByte, 250, 60_000),
    rescueMs: clamp(service / 2, 25, 250),
    leastMs: clamp(pace.firstByteMs ?? 0, 0, 1_000),
  };
}

/** No breaker of a key stays open longer without a trial. */
export const OPEN_MAX_MS = 30_000;
/** Trials may cost callers one part in so many of the time. */
export const TRIAL_COST = 50;

/** A cool-down given by the upstream is believed up to here. */
export const RETRY_AFTER_MAX_MS = 600_000;
/** A key that may not use a model is not asked for that model again so soon. */
export const FORBIDDEN_MS = 300_000;
/** How long an abandoned attempt may take to let go before its slot is taken back. */
export const ABORT_GRACE_MS = 250;
/** An aborted request may still occupy the upstream for so long. */
export const LINGER_MS = 250;
/** Nothing a person may have been billed for is sent more often than this. */
export const MAX_BILLED_SENDS = 2;
/** Calls that may wait per provider. */
export const MAX_QUEUE = 10_000;

/** `base` doubled `step` times, at most `max`. */
export function doubled(base: number, step: number, max: number): number {
  return Math.min(max, base * 2 ** Math.min(step, 30));
}

/** `ms` ± `share`, with `random` in [0, 1). Keeps equal timers of many processes apart. */
export function jittered(ms: number, share: number, random: number): number {
  return ms * (1 - share + 2 * share * random);
}
