import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../lab/store.ts';
import { until } from '../../../lab/until.ts';
import { DiskError } from '../../../src/base/errors.ts';
import { CallError, LocalCaller } from '../../../src/sharing/local/caller.ts';
import { callerHello, callerProof } from '../../../src/sharing/local/hello.ts';
import type { Host } from '../../../src/sharing/local/host.ts';
import { type Met, meet } from '../../../src/sharing/local/meet.ts';
import { type MeetingPlace, meetingPlace } from '../../../src/sharing/local/place.ts';
import { newNonce } from '../../../src/sharing/nonce.ts';

const key = randomBytes(32);
const cleanups: Array<() => void> = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

const newPlace = (): Promise<MeetingPlace> => meetingPlace(temporaryFolder(), 'kp1-test');

/** One process of ours, as far as the socket is concerned: it says what it is asked, doubled. */
class Peer {
  readonly member = newNonce();
  readonly answers: unknown[] = [];
  readonly left: string[] = [];
  readonly refused: unknown[] = [];
  closings = 0;
  met: Met | null = null;
  readonly #place: MeetingPlace;
  readonly #key: Uint8Array;

  constructor(place: MeetingPlace, ownKey: Uint8Array = key) {
    this.#place = place;
    this.#key = ownKey;
    cleanups.push(() => this.close());
  }

  async meet(): Promise<Met> {
    this.met = await meet({
      place: this.#place,
      key: this.#key,
      member: this.member,
      asMember: {
        answered: (message) => void this.answers.push(message),
        closed: () => {
          this.closings += 1;
        },
      },
      asHost: {
        asked: (_member, message) => ({ heard: message }),
        left: (member) => void this.left.push(member),
        refused: (error) => void this.refused.push(error),
      },
    });
    return this.met;
  }

  get role(): string {
    return this.met?.role ?? 'none';
  }

  get host(): Host {
    if (this.met?.role !== 'coordinator') throw new Error('not the coordinator');
    return this.met.host;
  }

  get caller(): LocalCaller {
    if (this.met?.role !== 'member') throw new Error('no member');
    return this.met.caller;
  }

  close(): void {
    if (this.met?.role === 'coordinator') this.met.host.close();
    else this.met?.caller.close();
  }
}

async function pair(): Promise<{ place: MeetingPlace; host: Peer; guest: Peer }> {
  const place = await newPlace();
  const host = new Peer(place);
  await host.meet();
  const guest = new Peer(place);
  await guest.meet();
  return { place, host, guest };
}

/** Somebody who is no process of ours. */
function stranger(place: MeetingPlace): {
  socket: Socket;
  heard: () => string;
  gone: () => boolean;
} {
  const socket = connect(place.socket);
  let heard = '';
  let gone = false;
  socket.on('data', (chunk) => {
    heard += chunk.toString();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    gone = true;
  });
  cleanups.push(() => socket.destroy());
  return { socket, heard: () => heard, gone: () => gone };
}

/** A pair, and somebody who greets as a member does and then goes his own way. */
async function withInsider() {
  const { place, host, guest } = await pair();
  const { socket, heard, gone } = stranger(place);
  const member = newNonce();
  const nonce = newNonce();
  socket.write(`${JSON.stringify(callerHello(member, nonce))}\n`);
  await until('the host spoke', () => heard() !== '');
  socket.write(`${JSON.stringify(callerProof(key, member, nonce, JSON.parse(heard())))}\n`);
  await until('the host knows its members', () => host.host.memberCount === 2);
  return { host, guest, insider: { socket, gone, member } };
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

async function answersNow(peer: Peer): Promise<void> {
  const before = peer.answers.length;
  peer.caller.ask({ before });
  await until('it was answered', () => peer.answers.length > before);
  expect(peer.answers.at(-1)).toEqual({ heard: { before } });
}

describe('the meeting place', () => {
  it('is taken by the first, and the others join', async () => {
    const place = await newPlace();
    const peers = Array.from({ length: 4 }, () => new Peer(place));
    await Promise.all(peers.map((peer) => peer.meet()));
    const hosts = peers.filter(({ role }) => role === 'coordinator');
    expect(hosts).toHaveLength(1);
    for (const peer of peers) if (peer.role === 'member') await answersNow(peer);
    expect(hosts[0]?.host.memberCount).toBe(3);
    expect(readdirSync(join(place.lock, '..'))).toEqual(['kp1-test.sock']);
  });

  it('is free again when its process leaves, and nothing is left of it', async () => {
    const { place, host, guest } = await pair();
    host.close();
    expect(existsSync(place.socket)).toBe(false);
    await until('the guest was left', () => guest.closings === 1);
    await guest.meet();
    expect(guest.role).toBe('coordinator');
  });

  it('that a killed process left behind is taken over', async () => {
    const place = await newPlace();
    const script = `require('node:net').createServer().listen(${JSON.stringify(place.socket)}, () => console.log('up'))`;
    const child: ChildProcess = spawn(process.execPath, ['-e', script]);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(lstatSync(place.socket).isSocket()).toBe(true);
    writeFileSync(`${place.socket}.0a1b2c`, '');
    writeFileSync(`${place.socket}.txt`, '');
    const peers = [new Peer(place), new Peer(place), new Peer(place)];
    await Promise.all(peers.map((peer) => peer.meet()));
    expect(peers.map(({ role }) => role).sort()).toEqual(['coordinator', 'member', 'member']);
    // What a process left that was killed a moment earlier goes, too; nothing else does.
    expect(readdirSync(join(place.lock, '..')).sort()).toEqual([
      'kp1-test.sock',
      'kp1-test.sock.txt',
    ]);
  });

  it('is taken from one who is silent, and stays with who took it', async () => {
    const { place, host } = await pair();
    const frozen = createServer(() => {});
    cleanups.push(() => frozen.close());
    host.close();
    await new Promise<void>((resolve) => frozen.listen(place.socket, resolve));
    const next = new Peer(place);
    await next.meet();
    expect(next.role).toBe('coordinator');
    const third = new Peer(place);
    await third.meet();
    expect(third.role).toBe('member');
    expect(next.host.isFound).toBe(true);
  });

  it('whose name was removed is noticed', async () => {
    const { place, host } = await pair();
    const other = new Peer(place);
    unlinkSync(place.socket);
    expect(host.host.isFound).toBe(false);
    await other.meet();
    expect(other.role).toBe('coordinator');
    // It goes without taking the other one's name with it.
    host.close();
    expect(other.host.isFound).toBe(true);
  });

  it.each([
    ['a folder', (path: string) => mkdirSync(path)],
    ['a file', (path: string) => writeFileSync(path, 'mine')],
  ])('where %s stands is left alone, with one clear line', async (_what, make) => {
    const place = await newPlace();
    make(place.socket);
    const error = await failure(new Peer(place).meet());
    expect(error).toBeInstanceOf(DiskError);
    expect(String(error)).toContain(`${place.socket} is no socket`);
    expect(readdirSync(join(place.lock, '..'))).toEqual(['kp1-test.sock']);
  });
});

describe('a stranger who listens there', () => {
  const listening = async (
    place: MeetingPlace,
    onSocket: (socket: Socket) => void,
  ): Promise<Server> => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      onSocket(socket);
    });
    cleanups.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(place.socket, resolve));
    return server;
  };

  it.each<[string, (socket: Socket) => void]>([
    ['nonsense', (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['JSON of another kind', (socket) => void socket.write('{"ok":true}\n')],
    ['another version', (socket) => void socket.write(`{"keypool":2,"nonce":"${newNonce()}"}\n`)],
    [
      'a wrong proof',
      (socket) =>
        void socket.write(
          `{"keypool":1,"nonce":"${newNonce()}","proof":"${randomBytes(32).toString('base64url')}"}\n`,
        ),
    ],
    ['a line without end', (socket) => void socket.write('x'.repeat(2 * 1024 * 1024))],
  ])('and answers %s is told nothing and keeps his place', async (_what, answer) => {
    const place = await newPlace();
    let told = '';
    await listening(place, (socket) => {
      socket.on('data', (chunk) => {
        told += chunk.toString();
      });
      answer(socket);
    });
    const peer = new Peer(place);
    const error = await failure(peer.meet());
    expect(error).toBeInstanceOf(CallError);
    expect(error).toMatchObject({ failure: 'stranger' });
    const said = told.split('\n').filter((line) => line !== '');
    for (const line of said)
      expect(Object.keys(JSON.parse(line))).toEqual(['keypool', 'member', 'nonce']);
    expect(said.length).toBeLessThanOrEqual(1);
  });

  it('and hangs up is no place to stay', async () => {
    const place = await newPlace();
    await listening(place, (socket) => socket.destroy());
    expect(await failure(new Peer(place).meet())).toMatchObject({ failure: 'closed' });
  });
});

describe('a bad peer costs its own connection alone', () => {
  const bad: ReadonlyArray<readonly [string, string]> = [
    ['nonsense', 'GET / HTTP/1.1\r\n\r\n'],
    ['JSON that is no greeting', '[1,2,3]\n'],
    ['null', 'null\n'],
    [
      'another version',
      `${JSON.stringify({ ...callerHello(newNonce(), newNonce()), keypool: 2 })}\n`,
    ],
    ['a member with a strange name', `${JSON.stringify(callerHello('__proto__', newNonce()))}\n`],
    ['a line without end', 'x'.repeat(3 * 1024 * 1024)],
    [
      'a flood of greetings',
      `${JSON.stringify(callerHello(newNonce(), newNonce()))}\n`.repeat(500),
    ],
  ];

  it.each(bad)('who says %s', async (_what, text) => {
    const { place, guest } = await pair();
    const { socket, gone } = stranger(place);
    socket.write(text);
    await until('he is gone', gone);
    await answersNow(guest);
  });

  it('who proves himself with another secret', async () => {
    const { place, guest } = await pair();
    const { socket, heard, gone } = stranger(place);
    const member = newNonce();
    socket.write(`${JSON.stringify(callerHello(member, newNonce()))}\n`);
    await until('the host spoke', () => heard() !== '');
    const forged = randomBytes(32).toString('base64url');
    socket.write(`${JSON.stringify({ proof: forged })}\n{"seq":1}\n`);
    await until('he is gone', gone);
    expect(heard().split('\n')).toHaveLength(2);
    await answersNow(guest);
  });

  it("who sends the host's own proof back", async () => {
    const { place } = await pair();
    const { socket, heard, gone } = stranger(place);
    socket.write(`${JSON.stringify(callerHello(newNonce(), newNonce()))}\n`);
    await until('the host spoke', () => heard() !== '');
    const { proof } = JSON.parse(heard());
    socket.write(`${JSON.stringify({ proof })}\n`);
    await until('he is gone', gone);
  });

  it('who never says a word, after a second', async () => {
    const { place, guest } = await pair();
    const { gone } = stranger(place);
    await until('he is gone', gone, 3_000);
    await answersNow(guest);
  });

  it('who comes a hundred times at once keeps nobody out', async () => {
    const { place, guest } = await pair();
    const flood = Array.from({ length: 100 }, () => stranger(place));
    await until('most of them are gone', () => flood.filter(({ gone }) => gone()).length >= 68);
    const late = new Peer(place);
    await late.meet();
    await answersNow(late);
    await answersNow(guest);
  });

  it('who is in, and then floods', async () => {
    const { host, guest, insider } = await withInsider();
    const { socket, gone, member } = insider;
    socket.write('{"seq":1}\n'.repeat(10_000));
    await until('he is gone', gone);
    await until('it has left', () => host.left.includes(member));
    expect(host.refused).toHaveLength(1);
    await answersNow(guest);
  });

  it('who is in, and reads nothing of what he asks for', async () => {
    const { host, guest, insider } = await withInsider();
    const { socket, gone } = insider;
    socket.pause();
    const large = `${JSON.stringify({ text: 'x'.repeat(500_000) })}\n`;
    const writing = setInterval(() => socket.write(large), 5);
    cleanups.push(() => clearInterval(writing));
    await until('the host knows its members', () => host.host.memberCount === 1 || gone(), 10_000);
    clearInterval(writing);
    await answersNow(guest);
  }, 15_000);

  it('a member that comes again takes its own place', async () => {
    const { place, host, guest } = await pair();
    const again = await LocalCaller.call(place.socket, key, guest.member, {
      answered: () => {},
      closed: () => {},
    });
    cleanups.push(() => again.close());
    await until('the guest was left', () => guest.closings === 1);
    await until('the host knows its members', () => host.host.memberCount === 1);
    expect(again.isClosed).toBe(false);
  });
});
