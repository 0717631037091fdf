/**
 * Parameters of this era, judged before the SDK sees them: it answers bad ones with zod's report,
 * most of them with −32603.
 */

import { type StandardSchemaV1Sync, specTypeSchemas } from '@modelcontextprotocol/server';
import { claimedVersion, MODERN_VERSION } from '../era.ts';
import {
  type ErrorReply,
  errorReply,
  INVALID_PARAMS,
  type JsonRpcRequest,
  malformed,
} from '../json-rpc.ts';

/** The requests that a client may make of this server, beside those that the SDK serves itself. */
const SCHEMAS = new Map<string, StandardSchemaV1Sync>([
  ['tools/list', specTypeSchemas.ListToolsRequest],
  ['tools/call', specTypeSchemas.CallToolRequest],
  ['resources/list', specTypeSchemas.ListResourcesRequest],
  ['resources/templates/list', specTypeSchemas.ListResourceTemplatesRequest],
  ['resources/read', specTypeSchemas.ReadResourceRequest],
  ['prompts/list', specTypeSchemas.ListPromptsRequest],
  ['prompts/get', specTypeSchemas.GetPromptRequest],
  ['completion/complete', specTypeSchemas.CompleteRequest],
]);

/** The reply to a request whose parameters have another form than its method asks; or null. */
export function badParams(message: JsonRpcRequest): ErrorReply | null {
  // Whether the message is one of this era at all, the SDK judges by its `_meta`.
  if (claimedVersion(message) !== MODERN_VERSION) return null;
  const { id, method, params = {} } = message;
  const { _meta: _, ...own } = params;
  const judged = SCHEMAS.get(method)?.['~standard'].validate({ method, params: own });
  if (judged?.issues === undefined) return null;
  return errorReply(id, INVALID_PARAMS, malformed(judged.issues));
}
