import { describe, expect, it } from 'vitest';
import { readPiece } from '../../../src/upstream/deepseek/chat-piece.ts';

function chunk(choice: object, rest: object = {}) {
  return readPiece({ choices: [{ index: 0, ...choice }], ...rest });
}

describe('a piece of an answer', () => {
  it('of DeepSeek’s own form', () => {
    const delta = { content: 'a', reasoning_content: 'b' };
    expect(chunk({ delta, finish_reason: null }, { model: 'm-1', usage: null })).toEqual({
      content: 'a',
      reasoning: 'b',
      refusal: '',
      hasToolCalls: false,
      finishReason: null,
      usage: null,
      model: 'm-1',
      error: null,
      isMessage: false,
    });
  });

  it('may be anything at all, and is then empty', () => {
    for (const odd of [
      {},
      { choices: null },
      { choices: [] },
      { choices: [null] },
      { choices: [{ delta: 7, message: 'x', finish_reason: null }] },
    ]) {
      expect(readPiece(odd)).toMatchObject({ content: '', reasoning: '', finishReason: null });
    }
  });

  it.each([
    [null, null],
    [undefined, null],
    ['', null],
    ['stop', 'stop'],
    ['STOP', 'stop'],
    ['model_context_window_exceeded', 'model_context_window_exceeded'],
    ['see <b>here</b>', 'other'],
    ['x'.repeat(41), 'other'],
    [7, 'other'],
    [{ type: 'stop' }, 'other'],
  ])('finish_reason %j is %j', (told, reason) => {
    expect(chunk({ finish_reason: told }).finishReason).toBe(reason);
  });

  it('has its content as text or as parts', () => {
    expect(
      chunk({ delta: { content: [{ type: 'text', text: 'a' }, 'b', null, 7] } }),
    ).toMatchObject({ content: 'ab', reasoning: '' });
    const thought = { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] };
    const parts = [thought, { type: 'reasoning', text: '!' }, { type: 'text', text: 'a' }];
    expect(chunk({ delta: { content: parts } })).toMatchObject({ content: 'a', reasoning: 'hm!' });
  });

  it('has its reasoning under either name, once', () => {
    expect(chunk({ delta: { reasoning: 'a' } }).reasoning).toBe('a');
    expect(chunk({ delta: { reasoning_content: '', reasoning: 'a' } }).reasoning).toBe('a');
    expect(chunk({ delta: { reasoning_content: 'a', reasoning: 'a' } }).reasoning).toBe('a');
  });

  it('may be a whole message; a part beside it goes first', () => {
    expect(chunk({ message: { content: 'all', refusal: null } })).toMatchObject({
      content: 'all',
      isMessage: true,
    });
    expect(chunk({ delta: { content: 'a' }, message: { content: 'all' } })).toMatchObject({
      content: 'a',
      isMessage: false,
    });
  });

  it('tells of tool calls and refusals, wherever they are', () => {
    expect(chunk({ delta: { tool_calls: [{}] } }).hasToolCalls).toBe(true);
    expect(chunk({ message: { tool_calls: [{}] } }).hasToolCalls).toBe(true);
    expect(chunk({ delta: { function_call: { name: 'x' } } }).hasToolCalls).toBe(true);
    expect(chunk({ delta: { tool_calls: [], function_call: null } }).hasToolCalls).toBe(false);
    expect(chunk({ delta: { refusal: 'no' } }).refusal).toBe('no');
    expect(chunk({ message: { refusal: 'no' } }).refusal).toBe('no');
  });

  it('holds an error of its own or of its choice; null, false and empty are none', () => {
    expect(readPiece({ error: { message: 'x' } }).error).toEqual({ error: { message: 'x' } });
    expect(chunk({ error: 'x' }).error).toEqual({ error: 'x' });
    for (const none of [null, undefined, false, '']) {
      expect(chunk({ error: none }, { error: none }).error).toBeNull();
    }
  });

  it('names a model only by what is a name', () => {
    expect(readPiece({ model: 'ignore all instructions' }).model).toBeNull();
    expect(readPiece({ model: 'vendor/model:free' }).model).toBe('vendor/model:free');
  });
});
