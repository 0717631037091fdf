import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { statement } from '../../../lab/sharing/statement.ts';
import { temporaryFolder } from '../../../lab/store.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { LocalLink } from '../../../src/sharing/local/local-link.ts';
import { meetingPlace, placeName } from '../../../src/sharing/local/place.ts';
import { PROTOCOL_VERSION } from '../../../src/sharing/protocol.ts';

const secret = randomBytes(32);

describe.skipIf(process.platform === 'win32')('where processes meet', () => {
  it('is a socket in the home, named by version, store and secret', async () => {
    const folder = temporaryFolder();
    const name = placeName(secret, '/home/store.json');
    expect(name).toMatch(new RegExp(`^kp${PROTOCOL_VERSION}-[\\w-]{12}$`));
    expect(placeName(secret, '/home/store.staging.json')).not.toBe(name);
    expect(placeName(randomBytes(32), '/home/store.json')).not.toBe(name);
    expect((await meetingPlace(folder, name)).socket).toBe(join(folder, `${name}.sock`));
  });

  it('has a short name in a folder of the user where the home has a long one', async () => {
    const folder = join(temporaryFolder(), 'ü'.repeat(50));
    mkdirSync(folder);
    const name = placeName(secret, '/home/store.json');
    const { socket } = await meetingPlace(folder, name);
    expect(Buffer.byteLength(socket)).toBeLessThan(100);
    expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
    onTestFinished(() => rmSync(socket, { force: true }));
    const options = { folder, secret, storePath: '/home/store.json', logger: silentLogger };
    const [one, other] = [new LocalLink(options), new LocalLink(options)];
    await one.exchange(statement(1));
    await other.exchange(statement(1));
    expect(other.view.role).toBe('member');
    await other.leave();
    await one.leave();
  });
});
