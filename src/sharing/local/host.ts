/**
 * The side that listens. A process of ours is let in when it has proved itself; what it asks is
 * answered in the same turn. Anything else costs its own connection.
 */

import { randomBytes } from 'node:crypto';
import { lstatSync, renameSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { Channel } from './channel.ts';
import { HELLO_MS, HostHello } from './hello.ts';
import { DRAFT_CHARACTERS, type MeetingPlace } from './place.ts';

/** More processes than anybody runs on one machine. */
const MAX_MEMBERS = 256;
/** Of more strangers at the door than this the first one goes, so that a flood locks nobody out. */
const MAX_STRANGERS = 32;

export interface HostEvents {
  /**
   * What a member asks.
   *
   * @returns the answer
   * @throws whatever it is, that member's connection ends
   */
  asked(member: string, message: unknown): unknown;
  /** A member's connection ended. */
  left(member: string): void;
  /** A member broke the protocol. */
  refused(error: unknown): void;
}

/** One connection: first a stranger, then a member. */
class Visitor {
  readonly channel: Channel;
  member: string | null = null;

  constructor(socket: Socket, onMessage: (value: unknown) => void, onEnd: (e: unknown) => void) {
    this.channel = new Channel(socket, { message: onMessage, closed: onEnd });
  }
}

/** The file that a socket is: null where there is none, or for a pipe of Windows. */
function identity(place: MeetingPlace): string | null {
  if (!place.isFile) return null;
  try {
    const { dev, ino } = lstatSync(place.socket);
    return `${dev} ${ino}`;
  } catch {
    return null;
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

export class Host {
  readonly #place: MeetingPlace;
  readonly #key: Uint8Array;
  readonly #events: HostEvents;
  readonly #server: Server;
  readonly #members = new Map<string, Visitor>();
  readonly #strangers = new Set<Visitor>();
  #identity: string | null = null;

  private constructor(place: MeetingPlace, key: Uint8Array, events: HostEvents) {
    this.#place = place;
    this.#key = key;
    this.#events = events;
    this.#server = createServer((socket) => this.#welcome(socket));
  }

  /**
   * Listens at the place, instead of whoever stood there. The socket is made under another name and
   * moved when it is ready: nobody ever meets half of it, and nobody's name is free in between.
   *
   * @throws the system's error, EADDRINUSE where a pipe of Windows has its process
   */
  static async open(place: MeetingPlace, key: Uint8Array, events: HostEvents): Promise<Host> {
    const host = new Host(place, key, events);
    const draft = randomBytes(DRAFT_CHARACTERS / 2).toString('hex');
    const at = place.isFile ? `${place.socket}.${draft}` : place.socket;
    await listen(host.#server, at);
    try {
      if (place.isFile) renameSync(at, place.socket);
    } catch (error) {
      host.#server.close();
      throw error;
    }
    // A fault of the listening socket later on: members notice, and elect again.
    host.#server.on('error', () => host.close());
    host.#server.unref();
    host.#identity = identity(place);
    return host;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  /** False when the name was removed, or another process took it: nobody new comes here then. */
  get isFound(): boolean {
    return this.#server.listening && identity(this.#place) === this.#identity;
  }

  close(): void {
    // The name first: while we listen nobody else takes it, so it is ours that goes.
    if (this.#place.isFile && this.isFound) {
      try {
        unlinkSync(this.#place.socket);
      } catch {
        // Whoever comes next finds that nobody listens there.
      }
    }
    this.#server.close();
    for (const { channel } of [...this.#members.values(), ...this.#strangers]) channel.close();
  }

  #welcome(socket: Socket): void {
    const hello = new HostHello(this.#key);
    const patience = setTimeout(() => visitor.channel.close(), HELLO_MS).unref();
    const visitor: Visitor = new Visitor(
      socket,
      (message) => {
        if (visitor.member !== null) this.#answer(visitor, visitor.member, message);
        else this.#greet(visitor, hello, message);
        if (visitor.member !== null) clearTimeout(patience);
      },
      (error) => {
        clearTimeout(patience);
        this.#forget(visitor, error);
      },
    );
    this.#strangers.add(visitor);
    const [first] = this.#strangers;
    if (this.#strangers.size > MAX_STRANGERS) first?.channel.close();
  }

  #greet(visitor: Visitor, hello: HostHello, message: unknown): void {
    const answer = hello.take(message);
    if (answer !== null) visitor.channel.send(answer);
    const { member } = hello;
    if (member === null) return;
    this.#strangers.delete(visitor);
    // A member that comes again left without our seeing it.
    this.#members.get(member)?.channel.close();
    if (this.#members.size >= MAX_MEMBERS) throw new RangeError('too many processes');
    visitor.member = member;
    this.#members.set(member, visitor);
  }

  #answer(visitor: Visitor, member: string, message: unknown): void {
    visitor.channel.send(this.#events.asked(member, message));
  }

  #forget(visitor: Visitor, error: unknown): void {
    this.#strangers.delete(visitor);
    const { member } = visitor;
    if (member === null || this.#members.get(member) !== visitor) return;
    this.#members.delete(member);
    this.#events.left(member);
    if (error !== null) this.#events.refused(error);
  }
}
