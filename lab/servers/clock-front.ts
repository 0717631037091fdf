/** In front of a Redis: its clock, as those who come this way read it, can be set. */

import { connect, createServer } from 'node:net';
import { type LocalServer, listenOnLoopback } from './local-server.ts';

export interface ClockFront extends LocalServer {
  /** @param ms by so much it is wrong from here on; negative: behind */
  set(ms: number): void;
}

/** The server's time is the only number of thirteen digits in a reply. */
const TIME = /(\$13\r\n)(\d{13})\r/;

export async function clockFront(redisPort: number): Promise<ClockFront> {
  let wrongMs = 0;
  const front = await listenOnLoopback(
    createServer((outside) => {
      const inside = connect(redisPort, '127.0.0.1');
      outside.pipe(inside);
      inside.on('data', (chunk) => {
        const text = chunk.toString('latin1');
        const told = text.replace(TIME, (_all, head: string, ms: string) => {
          return `${head}${Number(ms) + wrongMs}\r`;
        });
        outside.write(Buffer.from(told, 'latin1'));
      });
      for (const each of [inside, outside]) each.on('error', () => {});
      outside.on('close', () => inside.destroy());
    }),
  );
  return {
    ...front,
    set: (ms) => {
      wrongMs = ms;
    },
  };
}
