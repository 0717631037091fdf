/**
 * What a process and the coordinator say to each other, whoever carries it. An exchange states
 * everything that the process has and wants; nothing is added up from one to the next, so that a
 * lost, doubled or late one does no harm. What happened is numbered and told again until it is
 * acknowledged.
 */

import type { Fact, KnownSpeed, LaneGrant, LaneRow, Report } from '../pool/sharing.ts';

/** Part of the socket's name: programs of another version coordinate among themselves. */
export const PROTOCOL_VERSION = 2;

export interface NumberedReport {
  /** Grows by one with every report of the process. */
  readonly number: number;
  readonly report: Report;
}

/** What its process was told last: facts are told once. */
export interface Heard {
  /** Of the coordinator; empty at first. */
  readonly epoch: string;
  readonly version: number;
}

export interface Exchange {
  /** Grows with every exchange of the process. */
  readonly seq: number;
  readonly rows: readonly LaneRow[];
  readonly tries: readonly string[];
  readonly asks: readonly string[];
  /** All that are not acknowledged, in their order. */
  readonly reports: readonly NumberedReport[];
  /** What it knows, told to a coordinator that may know less. */
  readonly facts: readonly Fact[];
  readonly joined: ReadonlyArray<readonly string[]>;
  readonly heard: Heard;
  /** How fast things were here lately, and the ids of what it would like to know that of. */
  readonly measured: readonly KnownSpeed[];
  readonly unmeasured: readonly string[];
  /** The client's name, for people to read. */
  readonly client: string | null;
}

/** One process, for people to read. */
export interface ProcessView {
  readonly client: string | null;
  readonly isSelf: boolean;
  readonly inFlight: number;
  readonly waiting: number;
  readonly share: number;
}

export interface ExchangeAnswer {
  /** Of the exchange. */
  readonly seq: number;
  readonly grants: readonly LaneGrant[];
  readonly trials: readonly string[];
  readonly facts: readonly Fact[];
  readonly joined: ReadonlyArray<readonly string[]>;
  readonly heard: Heard;
  readonly speeds: readonly KnownSpeed[];
  /** Reports up to this number were taken in. */
  readonly reported: number;
  readonly processes: readonly ProcessView[];
}

export interface LinkView {
  readonly kind: 'socket' | 'redis';
  readonly isUp: boolean;
  /** Wall clock, ms: since when it is up, or is not. */
  readonly since: number;
  readonly role: 'coordinator' | 'member' | null;
  /** Why it is not up, in our words; null while it is. */
  readonly problem: string | null;
}

/** No answer in time, or nobody there: the process goes on alone. */
export class LinkDown extends Error {
  override readonly name = 'LinkDown';
}

/** Carries exchanges to whoever coordinates; that may be this very process. */
export interface Link {
  /**
   * Settles within 50 ms.
   *
   * @throws LinkDown
   */
  exchange(request: Exchange): Promise<ExchangeAnswer>;
  /** A clean end: everything is given back. */
  leave(): Promise<void>;
  readonly view: LinkView;
}
