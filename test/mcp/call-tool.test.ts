import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../src/base/errors.ts';
import { callTool, type ToolCall } from '../../src/mcp/call-tool.ts';
import type { ToolCallEvent } from '../../src/mcp/server-host.ts';
import { deepseekGenerateCode } from '../../src/tools/deepseek-generate-code.ts';
import { perplexitySearch } from '../../src/tools/perplexity-search.ts';
import {
  type FakeUpstreams,
  FOUND,
  fakeHost,
  GENERATED,
  serverOptions,
  untilAborted,
} from './stdio-session.ts';

function arrange(upstreams: FakeUpstreams, call: Partial<ToolCall> = {}) {
  const events: ToolCallEvent[] = [];
  const host = fakeHost(upstreams, {
    onToolCall: (event) => events.push(event),
  });
  const result = callTool(serverOptions(host), {
    tool: deepseekGenerateCode,
    args: { prompt: 'x' },
    signal: new AbortController().signal,
    report: null,
    ...call,
  });
  return { result, events };
}

describe('one call', () => {
  it('hands the tool its session, its signal and interactive priority', async () => {
    const { result, events } = arrange({
      generate: (_request, context) => {
        expect(context).toMatchObject({ session: 'test', priority: 'interactive' });
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

describe('what a result has to cut', () => {
  const code = `${'x'.repeat(79)}\n`.repeat(1_500);
  const text = `\`\`\`js\n${code}// the end\n\`\`\``;

  it('is kept whole, named in the text and linked', async () => {
    const options = serverOptions(
      fakeHost({ generate: () => Promise.resolve({ ...GENERATED, text }) }),
    );
    const call = { tool: deepseekGenerateCode, args: { prompt: 'x' }, report: null };
    const { content } = await callTool(options, { ...call, signal: new AbortController().signal });
    const [block, link] = content;
    if (block?.type !== 'text' || link?.type !== 'resource_link') throw new Error('two blocks');
    expect(block.text).not.toContain('the end');
    expect(block.text).toContain(link.uri);
    expect(link.uri).toMatch(/^keypool:\/\/results\/[\w-]{16}$/);
    expect(options.results.read(link.uri)).toContain('// the end');
  });

  it('is not linked for a client of a revision without links', async () => {
    const options = serverOptions(
      fakeHost({ generate: () => Promise.resolve({ ...GENERATED, text }) }),
    );
    options.client.version = '2025-03-26';
    const call = { tool: deepseekGenerateCode, args: { prompt: 'x' }, report: null };
    const { content } = await callTool(options, { ...call, signal: new AbortController().signal });
    expect(content).toMatchObject([{ text: expect.stringContaining('keypool://results/') }]);
  });

  it('is said in each form of a search', async () => {
    const [first] = FOUND.sources;
    if (first === undefined) throw new Error('a source is needed');
    const snippet = `${'word '.repeat(20_000)}the last words`;
    const host = fakeHost({
      search: () =>
        Promise.resolve({ ...FOUND, sources: [{ ...first, snippet }], answer: snippet }),
    });
    const options = serverOptions(host);
    const call = { tool: perplexitySearch, args: { query: 'x' }, report: null };
    const said = await callTool(options, { ...call, signal: new AbortController().signal });
    const links = said.content.flatMap((block) => ('uri' in block ? [block.uri] : []));
    expect(links).toHaveLength(2);
    for (const uri of links) {
      expect(JSON.stringify(said.structuredContent)).toContain(uri);
      expect(JSON.stringify(said.content[0])).toContain(uri);
      expect(options.results.read(uri)).toContain('the last words');
    }
  });
});
