/**
 * What the official suite's scenarios ask a server for, as data: the tools, prompts and resources
 * that answer the same way in both protocol eras.
 */

/** One red pixel. */
export const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
/** A WAV header and no sample. */
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';

export interface ObjectSchema {
  [key: string]: unknown;
  type: 'object';
}

export const NO_ARGUMENTS: ObjectSchema = { type: 'object', properties: {} };

/** Keywords of JSON Schema 2020-12 that a server must hand on as they are (SEP-1613, SEP-2106). */
export const SCHEMA_2020_12: ObjectSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

export interface TextBlock {
  type: 'text';
  text: string;
}

export type Block =
  | TextBlock
  | { type: 'image' | 'audio'; data: string; mimeType: string }
  | { type: 'resource'; resource: { uri: string; mimeType: string; text: string } };

export interface StaticTool {
  readonly name: string;
  readonly inputSchema: ObjectSchema;
  readonly content: readonly Block[];
  readonly isError?: true;
}

export function textBlock(text: string): TextBlock {
  return { type: 'text', text };
}

const IMAGE: Block = { type: 'image', data: PNG, mimeType: 'image/png' };

function resourceBlock(uri: string, mimeType: string, text: string): Block {
  return { type: 'resource', resource: { uri, mimeType, text } };
}

export const STATIC_TOOLS: readonly StaticTool[] = [
  {
    name: 'test_simple_text',
    inputSchema: NO_ARGUMENTS,
    content: [textBlock('This is a simple text response for testing.')],
  },
  { name: 'test_image_content', inputSchema: NO_ARGUMENTS, content: [IMAGE] },
  {
    name: 'test_audio_content',
    inputSchema: NO_ARGUMENTS,
    content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }],
  },
  {
    name: 'test_embedded_resource',
    inputSchema: NO_ARGUMENTS,
    content: [
      resourceBlock(
        'test://embedded-resource',
        'text/plain',
        'This is an embedded resource content.',
      ),
    ],
  },
  {
    name: 'test_multiple_content_types',
    inputSchema: NO_ARGUMENTS,
    content: [
      textBlock('Multiple content types test:'),
      IMAGE,
      resourceBlock(
        'test://mixed-content-resource',
        'application/json',
        '{"test":"data","value":123}',
      ),
    ],
  },
  {
    name: 'test_error_handling',
    inputSchema: NO_ARGUMENTS,
    content: [textBlock('This tool intentionally returns an error for testing')],
    isError: true,
  },
  {
    name: 'json_schema_2020_12_tool',
    inputSchema: SCHEMA_2020_12,
    content: [textBlock('The schema is what is tested.')],
  },
];

export interface Content {
  [key: string]: unknown;
  uri: string;
  mimeType: string;
  text: string;
}

export type ResourceContent = Content | (Omit<Content, 'text'> & { uri: string; blob: string });

export const RESOURCES = [
  { uri: 'test://static-text', name: 'static text', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static binary', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'watched resource', mimeType: 'text/plain' },
] as const;

export const TEMPLATE = {
  uriTemplate: 'test://template/{id}/data',
  name: 'template',
  mimeType: 'application/json',
} as const;

/** @returns null for what is not served */
export function contentOf(uri: string): ResourceContent | null {
  if (uri === 'test://static-binary') return { uri, mimeType: 'image/png', blob: PNG };
  const texts: Readonly<Record<string, string>> = {
    'test://static-text': 'This is the content of the static text resource.',
    'test://watched-resource': 'This is the content of the watched resource.',
  };
  const text = texts[uri];
  if (text !== undefined) return { uri, mimeType: 'text/plain', text };
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id === undefined) return null;
  const data = { id, templateTest: true, data: `Data for ID: ${id}` };
  return { uri, mimeType: 'application/json', text: JSON.stringify(data) };
}

export interface StaticPrompt {
  readonly name: string;
  readonly description: string;
  readonly arguments: ReadonlyArray<{ name: string; description: string; required: boolean }>;
  readonly messages: (args: Readonly<Record<string, string | undefined>>) => Block[];
}

export const STATIC_PROMPTS: readonly StaticPrompt[] = [
  {
    name: 'test_simple_prompt',
    description: 'A prompt without arguments',
    arguments: [],
    messages: () => [textBlock('This is a simple prompt for testing.')],
  },
  {
    name: 'test_prompt_with_arguments',
    description: 'A prompt with two arguments',
    arguments: [
      { name: 'arg1', description: 'First test argument', required: true },
      { name: 'arg2', description: 'Second test argument', required: true },
    ],
    messages: ({ arg1, arg2 }) => [
      textBlock(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
    ],
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'A prompt that embeds a resource',
    arguments: [{ name: 'resourceUri', description: 'What to embed', required: true }],
    messages: ({ resourceUri = '' }) => [
      resourceBlock(resourceUri, 'text/plain', 'Embedded resource content for testing.'),
      textBlock('Please process the embedded resource above.'),
    ],
  },
  {
    name: 'test_prompt_with_image',
    description: 'A prompt with an image',
    arguments: [],
    messages: () => [IMAGE, textBlock('Please analyze the image above.')],
  },
];
