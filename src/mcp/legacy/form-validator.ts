/**
 * What checks the forms that a person has filled in: one for all servers, made with the first form.
 * The SDK would make one for every session, half a millisecond and 19 kB each, and six at the start.
 */

import type { jsonSchemaValidator } from '@modelcontextprotocol/sdk/validation';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';

let validator: AjvJsonSchemaValidator | null = null;

export const FORM_VALIDATOR: jsonSchemaValidator = {
  getValidator: (schema) => {
    validator ??= new AjvJsonSchemaValidator();
    return validator.getValidator(schema);
  },
};
