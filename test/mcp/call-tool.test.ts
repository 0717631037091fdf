import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { callTool, type ToolCall } from '../../src/mcp/call-tool.ts';
import type { ToolCallEvent } from '../../src/mcp/server-host.ts';
import { deepseekGenerateCode } from '../../src/tools/deepseek-generate-code.ts';
import { type FakeUpstreams, fakeHost, GENERATED, untilAborted } from './stdio-session.ts';

function arrange(upstreams: FakeUpstreams, call: Partial<ToolCall> = {}) {
  const events: ToolCallEvent[] = [];
  const host = fakeHost(upstreams, {
    onToolCall: (event) => events.push(event),
  });
  const result = callTool(host, silentLogger, {
    tool: deepseekGenerateCode,
    args: { prompt: 'x' },
    signal: new AbortController().signal,
    session: 'session 1',
    report: null,
    ...call,
  });
  return { result, events };
}

describe('one call', () => {
  it('hands the tool its session, its signal and interactive priority', async () => {
    const { result, events } = arrange({
      generate: (_request, context) => {
        expect(context).toMatchObject({ session: 'session 1', priority: 'interactive' });
        return Promise.resolve(GENERATED);
      },
    });
    expect((await result).isError).toBeUndefined();
    expect(events).toMatchObject([{ tool: 'deepseek_generate_code', outcome: 'ok' }]);
  });

  it('says in words what failed, and tells how it is going', async () => {
    const reports: string[] = [];
    const failure = {
      kind: 'server_error',
      status: 500,
      retryAfterMs: null,
      requestId: null,
      namedLimit: null,
      namedInFlight: null,
      mayBeBilled: false,
    } as const;
    const { result, events } = arrange(
      {
        generate: (_request, { onProgress }) => {
          onProgress({ message: 'waiting' });
          return Promise.reject(new UpstreamError('deepseek', failure, 'failed'));
        },
      },
      { report: ({ message }) => reports.push(message) },
    );
    expect(await result).toEqual({ isError: true, content: [{ type: 'text', text: 'Failed.' }] });
    expect(reports).toEqual(['waiting']);
    expect(events).toMatchObject([{ outcome: 'error' }]);
  });

  it('that was cancelled throws, and counts as neither served nor failed', async () => {
    const caller = new AbortController();
    const { result, events } = arrange(
      { generate: (_request, { signal }) => untilAborted(signal) },
      { signal: caller.signal },
    );
    caller.abort();
    await expect(result).rejects.toThrow();
    expect(events).toMatchObject([{ outcome: 'cancelled' }]);
  });

  it('with bad arguments asks nobody', async () => {
    const { result, events } = arrange(
      { generate: () => Promise.reject(new Error('asked')) },
      { args: { prompt: '' } },
    );
    expect(await result).toEqual({
      isError: true,
      content: [
        {
          type: 'text',
          text: 'deepseek_generate_code was not called: prompt is empty; it takes 1 to 400,000 characters. Correct the arguments and call it again.',
        },
      ],
    });
    expect(events).toMatchObject([{ outcome: 'error' }]);
  });
});
