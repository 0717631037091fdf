import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listenOnLoopback } from '../../lab/servers/local-server.ts';
import { PatientTimer } from '../../src/base/system/patient-timer.ts';

/** Holds the event loop, as a sleep of the process does. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Bytes that lie in the socket while nothing reads it. */
async function waitingBytes(): Promise<Socket> {
  const server = createServer();
  const { port, close } = await listenOnLoopback(server);
  onTestFinished(close);
  const socket = connect(port, '127.0.0.1');
  const [peer] = await once(server, 'connection');
  peer.write('long since here');
  return socket;
}

describe('a patient timer', () => {
  it('is due when its time has come', async () => {
    const startedAt = performance.now();
    await new Promise<void>((resolve) => void new PatientTimer(20, resolve));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(19);
  });

  it.each(['refresh', 'clear'] as const)(
    'after a sleep what was there may %s it first',
    async (what) => {
      const socket = await waitingBytes();
      const order: string[] = [];
      const timer = new PatientTimer(20, () => order.push('due'));
      // A plain one shows what would happen otherwise.
      setTimeout(() => order.push('plain'), 20);
      socket.once('data', () => {
        order.push('data');
        timer[what]();
      });
      sleep(60);
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(order).toEqual(['plain', 'data']);
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(order).toEqual(what === 'refresh' ? ['plain', 'data', 'due'] : ['plain', 'data']);
    },
  );
});
