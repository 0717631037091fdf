import { describe, expect, it } from 'vitest';
import { type ChatPiece, readPiece } from '../../../src/upstream/deepseek/chat-piece.ts';
import { Draft } from '../../../src/upstream/deepseek/draft.ts';
import { failureOfEnding } from '../../../src/upstream/deepseek/ending.ts';

const USAGE = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };

function piece(content: string, finish: string | null = null, rest: object = {}): ChatPiece {
  return readPiece({ choices: [{ delta: { content }, finish_reason: finish }], ...rest });
}

function drafted(...pieces: readonly ChatPiece[]) {
  const draft = new Draft();
  let heard = 0;
  const expected = pieces.map((each) => draft.apply(each, () => void heard++));
  return { draft, heard, expected };
}

describe('what is still to come', () => {
  it('more, until an end is announced; a little, until its usage is there', () => {
    const { expected, heard } = drafted(
      piece('a'),
      piece('', ''),
      piece('b', 'stop'),
      piece('', null, { usage: USAGE }),
    );
    expect(expected).toEqual(['more', 'more', 'ending', 'finishing']);
    expect(heard).toBe(2);
  });

  it('more again when text follows an end, until the usage is there', () => {
    const { expected, draft } = drafted(
      piece('a', 'stop'),
      piece('b', 'stop'),
      piece('c', 'stop', { usage: USAGE }),
    );
    expect(expected).toEqual(['ending', 'more', 'finishing']);
    expect(draft.content).toBe('abc');
    expect(draft.isSettled).toBe(true);
  });

  it('nothing can be added to an answer that is settled', () => {
    expect(drafted(piece('a')).draft.isSettled).toBe(false);
    expect(drafted(piece('a', 'stop')).draft.isSettled).toBe(true);
    expect(drafted(piece('a', 'stop'), piece('b')).draft.isSettled).toBe(false);
  });

  it('a whole message after its parts is nothing new', () => {
    const whole = readPiece({ choices: [{ message: { content: 'ab' }, finish_reason: 'stop' }] });
    expect(drafted(piece('a'), piece('b'), whole).draft.content).toBe('ab');
    expect(drafted(whole).draft.content).toBe('ab');
  });
});

describe('over several requests', () => {
  it('text is kept when one goes on, and shown as partial when one starts over', () => {
    const { draft } = drafted(piece('the first half, '));
    expect(draft.beginning).toEqual({ content: 'the first half, ', reasoning: '' });
    draft.goOn();
    expect(draft.length).toBe(0);
    draft.apply(piece('and more', 'stop'), () => {});
    expect(draft).toMatchObject({
      content: 'the first half, and more',
      addition: 'and more',
      length: 8,
    });
    draft.startOver();
    expect(draft).toMatchObject({ content: '', finishReason: null, beginning: null, addition: '' });
    draft.apply(piece('short'), () => {});
    expect(draft.partial).toBe('the first half, and more');
  });

  it('an addition that is none is paid for, and shown to nobody', () => {
    const { draft } = drafted(piece('the first half, '));
    draft.goOn();
    draft.apply(piece('the first half, '), () => {});
    draft.dropAddition();
    expect(draft).toMatchObject({ content: 'the first half, ', addition: '' });
    expect(draft.bill.untoldRequests).toBe(2);
    draft.startOver();
    expect(draft.partial).toBe('the first half, ');
    expect(draft.bill.untoldRequests).toBe(2);
  });

  it('tokens are counted, or estimated where they were not told', () => {
    const { draft } = drafted(piece('x'.repeat(40)));
    draft.startOver();
    draft.apply(piece('y', 'stop', { usage: USAGE }), () => {});
    expect(draft.totalUsage).toMatchObject({ promptTokens: 7, completionTokens: 15 });
  });
});

describe('how an answer ended', () => {
  const ended = (reason: string | null, content = 'x', rest: object = {}) => {
    const choice = { delta: { content, ...rest }, finish_reason: reason };
    const { draft } = drafted(readPiece({ choices: [choice] }));
    return failureOfEnding(draft, { mayBeBilled: true })?.failure.kind ?? 'whole';
  };

  it.each([
    ['stop', 'whole'],
    ['length', 'whole'],
    [null, 'cut'],
    ['content_filter', 'moderation'],
    ['insufficient_system_resource', 'overloaded'],
    ['aborted', 'overloaded'],
    ['error', 'cut'],
    ['network_error', 'cut'],
    ['timeout', 'cut'],
    ['cancelled', 'cut'],
    ['a_word_of_tomorrow', 'cut'],
    ['sensitive', 'no_answer'],
    ['safety', 'no_answer'],
    ['refusal', 'no_answer'],
    ['recitation', 'no_answer'],
    ['prohibited_content', 'no_answer'],
    ['blocklist', 'no_answer'],
    ['spii', 'no_answer'],
    ['model_length', 'no_answer'],
    ['max_tokens', 'no_answer'],
    ['model_context_window_exceeded', 'no_answer'],
    ['tool_calls', 'no_answer'],
    ['function_call', 'no_answer'],
  ])('%s: %s', (reason, kind) => {
    expect(ended(reason)).toBe(kind);
  });

  it('is no answer without content', () => {
    expect(ended('stop', ' \n')).toBe('no_answer');
    expect(ended('stop', '', { reasoning_content: 'hm' })).toBe('no_answer');
    expect(ended('length', '')).toBe('empty');
    expect(ended('stop', '', { refusal: 'no' })).toBe('whole');
    expect(ended('stop', 'x', { tool_calls: [{}] })).toBe('no_answer');
  });

  it('says what there was instead', () => {
    const thought = readPiece({
      choices: [{ delta: { reasoning: 'hm' }, finish_reason: 'stop' }],
    });
    expect(failureOfEnding(drafted(thought).draft, {})?.deed).toMatch(/nothing but reasoning/);
    expect(failureOfEnding(drafted(piece('x', 'eos')).draft, {})?.deed).toContain('"eos"');
  });
});
